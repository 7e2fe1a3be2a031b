//! What programs of one desktop or session share besides windows.

use crate::call::{Group, groups};

/// Sorted by kind.
pub(in crate::calls) const GROUPS: &[Group] = groups! {
    Stations Name OwnName Open "names a window station or desktop, or lists them" {
        NtUserBuildNameList NtUserCreateDesktopEx NtUserCreateWindowStation NtUserCreateWindowStationEx
        NtUserMapDesktopObject NtUserOpenDesktop NtUserOpenInputDesktop NtUserOpenThreadDesktop
        NtUserOpenWindowStation NtUserResolveDesktopForWOW
    }
    Stations Other ByHandle Settled "acts on a window station or desktop that was decided when it was opened" {
        NtUserCheckDesktopByThreadId NtUserCheckWindowThreadDesktop NtUserCloseDesktop
        NtUserCloseWindowStation NtUserGetDesktopID NtUserGetInputDesktop NtUserGetObjectInformation
        NtUserGetProcessWindowStation NtUserGetThreadDesktop NtUserGetWinStationInfo
        NtUserSetObjectInformation NtUserSetProcessWindowStation NtUserSetThreadDesktop
        NtUserSetUserObjectCapability NtUserSetWindowStationUser
    }
    Clipboard Other OwnName Open "the clipboard is one for all programs of a window station" {
        NtUserAddClipboardFormatListener NtUserChangeClipboardChain NtUserCheckProcessForClipboardAccess
        NtUserCloseClipboard NtUserConvertMemHandle NtUserCountClipboardFormats NtUserCreateLocalMemHandle
        NtUserEmptyClipboard NtUserEnumClipboardFormats NtUserGetClipboardAccessToken NtUserGetClipboardData
        NtUserGetClipboardMetadata NtUserGetClipboardOwner NtUserGetClipboardSequenceNumber
        NtUserGetClipboardViewer NtUserGetOpenClipboardWindow NtUserGetPriorityClipboardFormat
        NtUserGetUpdatedClipboardFormats NtUserIsClipboardFormatAvailable NtUserOpenClipboard
        NtUserRemoveClipboardFormatListener NtUserSetClipboardData NtUserSetClipboardViewer
    }
    Atoms Name OwnName Open "tells a format's name, which is an atom's" {
        NtUserGetClipboardFormatName
    }
    Atoms Name OwnName Open "the table of atoms is one for all programs of a window station" {
        NtUserGetAtomName NtUserRegisterWindowMessage
    }
    Console Other SameVm Open "tells the console host's facts about the processes of a console" {
        NtUserConsoleControl
    }
    Processes Name SameVm Open "tells or sets facts of a process or thread by its id, its handle or its window" {
        NtUserCheckAccessForIntegrityLevel NtUserGetActiveProcessesDpis
        NtUserGetDisplayAutoRotationPreferencesByProcessId NtUserGetGUIThreadInfo NtUserGetGuiResources
        NtUserGetProcessDpiAwareness NtUserGetProcessDpiAwarenessContext NtUserGetProcessUIContextInformation
        NtUserGetSystemDpiForProcess NtUserGetWindowProcessHandle NtUserGetWindowThreadProcessId
        NtUserGrantJobUIRestrictionException NtUserQueryInformationThread NtUserSetActiveProcess
        NtUserSetActiveProcessForMonitor NtUserSetAdditionalPowerThrottlingProcess
        NtUserSetChildWindowNoActivate NtUserSetInformationThread NtUserSetJobUILimits
        NtUserSetProcessDpiAwareness NtUserSetProcessInteractionFlags NtUserSetProcessRestrictionExemption
        NtUserSetProcessUIAccessZorder NtUserSetProcessWin32Capabilities NtUserSetTargetForResourceBrokering
        NtUserSetThreadQueueMergeSetting NtUserUserHandleGrantAccess NtUserValidateHandleSecure
    }
    Machine Other Denied Open "acts on the user's session: locks, switches, shadows, logs off; most are for the system's own processes" {
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
    Settings Other Denied Open "changes what the user set for all programs" {
        NtUserActivateKeyboardLayout NtUserEnableShellWindowManagementBehavior
        NtUserForceMaxTouchpadSensitivityForCurrentProcess NtUserLoadKeyboardLayoutEx NtUserMessageBeep
        NtUserNlsKbdSendIMENotification NtUserNotifyIMEStatus NtUserPlayEventSound NtUserSetAppImeLevel
        NtUserSetCalibrationData NtUserSetCaretBlinkTime NtUserSetDimUndimTransitionTime
        NtUserSetDoubleClickTime NtUserSetImeHotKey NtUserSetImmersiveBackgroundWindow
        NtUserSetInputServiceState NtUserSetMaxTouchpadSensitivity NtUserSetMouseInputRateLimitingTimer
        NtUserSetPrecisionTouchPadConfiguration NtUserSetProgmanWindow NtUserSetShellChangeNotifyHWND
        NtUserSetShellSpecialWindow NtUserSetShellWindowEx NtUserSetSysColors NtUserSetSystemCursor
        NtUserSetTaskmanWindow NtUserSoundSentry NtUserSystemParametersInfo NtUserSystemParametersInfoForDpi
        NtUserUnloadKeyboardLayout
    }
};
