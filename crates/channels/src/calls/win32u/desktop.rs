//! What programs of one desktop or session share besides windows.

use crate::call::{Group, groups};

/// Sorted by kind.
pub(in crate::calls) const GROUPS: &[Group] = groups! {
    Stations Name OwnName Open "names a window station or desktop, or lists them" {
        NtUserCreateWindowStationEx NtUserMapDesktopObject NtUserOpenThreadDesktop
        NtUserResolveDesktopForWOW
    }
    Stations Name OwnName Hooked "on the VM's own window stations, in every form of the name" {
        NtUserBuildNameList NtUserCreateDesktopEx NtUserCreateWindowStation NtUserOpenDesktop
        NtUserOpenInputDesktop NtUserOpenWindowStation
    }
    Stations Other ByHandle Settled "acts on a window station or desktop that was decided when it was opened" {
        NtUserCheckDesktopByThreadId NtUserCheckWindowThreadDesktop NtUserCloseDesktop
        NtUserCloseWindowStation NtUserGetDesktopID NtUserGetInputDesktop NtUserGetWinStationInfo
        NtUserSetObjectInformation NtUserSetUserObjectCapability NtUserSetWindowStationUser
    }
    Stations Name SameVm Hooked "the window, thread or process that it names must be of a member" {
        NtUserGetThreadDesktop
    }
    Stations Other OwnName Hooked "on the VM's own window station, that the process is put on first" {
        NtUserGetObjectInformation NtUserGetProcessWindowStation NtUserSetProcessWindowStation
        NtUserSetThreadDesktop
    }
    Clipboard Other ByHandle Settled "acts on the clipboard of the process's window station, which is the VM's own" {
        NtUserCheckProcessForClipboardAccess NtUserCloseClipboard NtUserConvertMemHandle
        NtUserCountClipboardFormats NtUserCreateLocalMemHandle NtUserEmptyClipboard
        NtUserEnumClipboardFormats NtUserGetClipboardAccessToken NtUserGetClipboardData
        NtUserGetClipboardMetadata NtUserGetClipboardOwner NtUserGetClipboardSequenceNumber
        NtUserGetClipboardViewer NtUserGetOpenClipboardWindow NtUserGetPriorityClipboardFormat
        NtUserGetUpdatedClipboardFormats NtUserIsClipboardFormatAvailable NtUserSetClipboardData
    }
    Clipboard Name SameVm Hooked "the window, thread or process that it names must be of a member" {
        NtUserAddClipboardFormatListener NtUserChangeClipboardChain NtUserOpenClipboard
        NtUserRemoveClipboardFormatListener NtUserSetClipboardViewer
    }
    Atoms Name OwnName Hooked "names a message or format, or tells a format's name: an atom's, which begins with the VM's mark" {
        NtUserGetClipboardFormatName NtUserRegisterWindowMessage
    }
    Atoms Name OwnName Open "tells the name of any atom: user32 asks it for those of window classes, which have no mark" {
        NtUserGetAtomName
    }
    Console Other SameVm Open "tells the console host's facts about the processes of a console" {
        NtUserConsoleControl
    }
    Processes Name SameVm Open "tells or sets facts of a process or thread by its id, its handle or its window" {
        NtUserCheckAccessForIntegrityLevel NtUserGetActiveProcessesDpis
        NtUserGetDisplayAutoRotationPreferencesByProcessId NtUserGetGuiResources
        NtUserGetProcessDpiAwareness NtUserGetProcessDpiAwarenessContext
        NtUserGetProcessUIContextInformation NtUserGetSystemDpiForProcess NtUserGetWindowProcessHandle
        NtUserGrantJobUIRestrictionException NtUserQueryInformationThread NtUserSetActiveProcess
        NtUserSetActiveProcessForMonitor NtUserSetAdditionalPowerThrottlingProcess
        NtUserSetChildWindowNoActivate NtUserSetInformationThread NtUserSetJobUILimits
        NtUserSetProcessDpiAwareness NtUserSetProcessInteractionFlags NtUserSetProcessRestrictionExemption
        NtUserSetProcessUIAccessZorder NtUserSetProcessWin32Capabilities NtUserSetTargetForResourceBrokering
        NtUserSetThreadQueueMergeSetting NtUserUserHandleGrantAccess NtUserValidateHandleSecure
    }
    Processes Name SameVm Hooked "the window, thread or process that it names must be of a member" {
        NtUserGetGUIThreadInfo NtUserGetWindowThreadProcessId
    }
    Machine Other Denied Hooked "acts on the user's session: locks, switches, shadows, logs off; most are for the system's own processes" {
        NtUserCtxDisplayIOCtl NtUserDoSoundConnect NtUserDoSoundDisconnect NtUserEnableSessionForMMCSS
        NtUserHardErrorControl NtUserLockWindowStation NtUserLockWorkStation NtUserNotifyProcessCreate
        NtUserPrepareForLogoff NtUserRegisterErrorReportingDialog NtUserRegisterLogonProcess
        NtUserRegisterServicesProcess NtUserRegisterSessionPort NtUserRegisterTasklist NtUserRemoteConnect
        NtUserRemoteConnectState NtUserRemoteConsoleShadowStop NtUserRemoteDisconnect NtUserRemoteNotify
        NtUserRemotePassthruDisable NtUserRemotePassthruEnable NtUserRemoteReconnect
        NtUserRemoteRedrawRectangle NtUserRemoteRedrawScreen NtUserRemoteShadowCleanup NtUserRemoteShadowSetup
        NtUserRemoteShadowStart NtUserRemoteShadowStop NtUserRemoteStopScreenUpdates NtUserRemoteThinwireStats
        NtUserSetSensorPresence NtUserSetWatermarkStrings NtUserSwitchDesktop NtUserUnlockWindowStation
        NtUserUnregisterSessionPort NtUserUpdatePerUserImmEnabling NtUserUpdatePerUserSystemParameters
        NtUserUserPowerCalloutWorker
    }
    Settings Other Denied Hooked "changes what the user set for all programs" {
        NtUserEnableShellWindowManagementBehavior NtUserForceMaxTouchpadSensitivityForCurrentProcess
        NtUserSetCalibrationData NtUserSetCaretBlinkTime NtUserSetDimUndimTransitionTime
        NtUserSetDoubleClickTime NtUserSetImeHotKey NtUserSetImmersiveBackgroundWindow
        NtUserSetInputServiceState NtUserSetMaxTouchpadSensitivity NtUserSetMouseInputRateLimitingTimer
        NtUserSetPrecisionTouchPadConfiguration NtUserSetProgmanWindow NtUserSetShellChangeNotifyHWND
        NtUserSetShellSpecialWindow NtUserSetSysColors NtUserSetSystemCursor NtUserSetTaskmanWindow
        NtUserSwapMouseButton
    }
    Settings Other Denied Hooked "reads what the user set for all programs; what would set it is refused" {
        NtUserSystemParametersInfo
    }
    Settings None NoIpc Settled "reads what the user set for all programs, for a resolution" {
        NtUserSystemParametersInfoForDpi
    }
    Settings Other Denied Open "plays a sound, or loads a keyboard layout that the session lists" {
        NtUserActivateKeyboardLayout NtUserLoadKeyboardLayoutEx NtUserMessageBeep
        NtUserNlsKbdSendIMENotification NtUserPlayEventSound NtUserSetAppImeLevel NtUserSoundSentry
        NtUserUnloadKeyboardLayout
    }
    Settings Name SameVm Hooked "the window, thread or process that it names must be of a member" {
        NtUserNotifyIMEStatus NtUserSetShellWindowEx
    }
};
