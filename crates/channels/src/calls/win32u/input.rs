//! Input: what is sent to other programs as the user's own, and what the user does elsewhere.

use crate::call::{Group, groups};

/// Sorted by kind.
pub(in crate::calls) const GROUPS: &[Group] = groups! {
    Input Name SameVm Open "makes input, or takes focus, capture, foreground or hot keys from other programs" {
        NtUserAcquireIAMKey NtUserAcquireInteractiveControlBackgroundAccess NtUserAllowForegroundActivation
        NtUserAllowSetForegroundWindow NtUserCanBrokerForceForeground
        NtUserCanCurrentThreadChangeForeground NtUserClearForeground NtUserConfigureActivationObject
        NtUserConvertToInterceptWindow NtUserCreateActivationGroup NtUserCreateActivationObject
        NtUserDelegateCapturePointers NtUserDelegateInput
        NtUserDestroyActivationGroup NtUserDestroyActivationObject NtUserEnableIAMAccess
        NtUserEnableModernAppWindowKeyboardIntercept NtUserForceEnableNumpadTranslation
        NtUserGetInteractiveControlDeviceInfo NtUserGetInteractiveControlInfo
        NtUserGetInteractiveCtrlSupportedWaveforms NtUserHandleDelegatedInput


        NtUserInteractiveControlQueryUsage
        NtUserIsInterceptWindow NtUserLockSetForegroundWindow NtUserNavigateFocus
        NtUserPostKeyboardInputMessage NtUserQueryActivationObject NtUserRegisterEdgy
        NtUserRegisterForTooltipDismissNotification NtUserRegisterManipulationThread
        NtUserRegisterPointerInputTarget NtUserRemoveInjectionDevice
        NtUserSendInteractiveControlHapticsReport
        NtUserSetActivationFilter NtUserSetAdditionalForegroundBoostProcesses NtUserSetBrokeredForeground
        NtUserSetCoreWindow NtUserSetCoreWindowPartner NtUserSetFallbackForeground
        NtUserSetFeatureReportResponse NtUserSetForegroundRedirectionForActivationObject
        NtUserSetForegroundWindowForApplication NtUserSetInteractiveControlFocus
        NtUserSetInteractiveCtrlRotationAngle NtUserSetKeyboardState NtUserSetManipulationInputTarget
        NtUserSetProcessLaunchForegroundPolicy NtUserSetThreadInputBlocked NtUserShellForegroundBoostProcess
        NtUserShellHandwritingDelegateInput NtUserShellHandwritingHandleDelegatedInput
        NtUserShellHandwritingUndelegateInput NtUserShellRegisterHotKey
        NtUserUndelegateInput NtUserWaitForInputIdle NtUserZapActiveAndFocus
    }
    Input Name SameVm Hooked "the window, thread or process that it names must be of a member" {
        NtUserAttachThreadInput NtUserRegisterHotKey NtUserSetActiveWindow NtUserSetCapture NtUserSetFocus
        NtUserSetForegroundWindow NtUserSwitchToThisWindow NtUserUnregisterHotKey
    }
    Input Other SameVm Hooked "acts on the caller's own desktop; on the user's, only while a member's window is in front" {
        NtUserGetForegroundWindow NtUserRegisterRawInputDevices NtUserSendInput
    }
    Input Other Denied Hooked "makes input as if it were the user's, past SendInput, or keeps all input away" {
        NtUserBlockInput NtUserCreateSyntheticPointerDevice2 NtUserInitializeGenericHidInjection
        NtUserInitializeInputDeviceInjection NtUserInitializePointerDeviceInjection
        NtUserInitializePointerDeviceInjectionEx NtUserInitializeTouchInjection
        NtUserInjectDeviceInput NtUserInjectGenericHidInput NtUserInjectGesture
        NtUserInjectKeyboardInput NtUserInjectMouseInput NtUserInjectPointerInput
        NtUserInjectTouchInput NtUserInjectTouchpadAction NtUserSendTouchInput
    }
    InputState Other SameVm Hooked "acts on the caller's own desktop; on the user's, only while a member's window is in front" {
        NtUserClipCursor NtUserGetAsyncKeyState NtUserSetCursorPos
    }
    InputState Other SameVm Open "tells or sets keys, pointer and cursor, which all programs of a desktop share" {
        NtUserGetClipCursor NtUserGetCursor NtUserGetCursorPos
        NtUserGetGestureConfig NtUserGetGestureExtArgs NtUserGetGestureInfo NtUserGetInputEvent
        NtUserGetKeyState NtUserGetKeyboardInputThreadId NtUserGetKeyboardState
        NtUserGetLatestInputMessageData NtUserGetMouseMovePointsEx NtUserGetPointerCursorId
        NtUserGetPointerDevice NtUserGetPointerDeviceCursors NtUserGetPointerDeviceInputSpace
        NtUserGetPointerDeviceOrientation NtUserGetPointerDeviceProperties NtUserGetPointerDeviceRects
        NtUserGetPointerDevices NtUserGetPointerFrameArrivalTimes NtUserGetPointerFrameTimes
        NtUserGetPointerIdForPromotion NtUserGetPointerInfoList NtUserGetPointerInputTransform
        NtUserGetPointerProprietaryId NtUserGetPointerType NtUserGetRawInputBuffer NtUserGetRawInputData
        NtUserGetRawInputDeviceInfo NtUserGetRawInputDeviceList NtUserGetRawPointerDeviceData
        NtUserGetRegisteredRawInputDevices NtUserGetTouchInputInfo NtUserGetTouchValidationStatus
        NtUserGetUnpredictedMessagePos NtUserHideCursorNoCapture NtUserInternalClipCursor NtUserLinkDpiCursor
        NtUserLockCursor NtUserSetCursor NtUserSetCursorContents NtUserShowCursor
        NtUserShowSystemCursor
    }
    Input Other Denied Open "for the system's own input processes; by its name it is nothing that a program calls" {
        NtKSTInitialize NtKSTWait NtMITAccessibilityTimerNotification NtMITActivateInputProcessing
        NtMITBindInputTypeToMonitors NtMITConfigureVirtualTouchpad NtMITCoreMsgKGetConnectionHandle
        NtMITCoreMsgKOpenConnectionTo NtMITCoreMsgKSend NtMITDeactivateInputProcessing
        NtMITDisableMouseIntercept NtMITDispatchCompletion NtMITEnableMouseIntercept
        NtMITGetCursorUpdateHandle NtMITInitMinuserThread NtMITMinuserSetInputTransformOffset
        NtMITMinuserWindowCreated NtMITMinuserWindowDestroyed NtMITPostMouseInputMessage
        NtMITPostThreadEventMessage NtMITPostWindowEventMessage NtMITPrepareReceiveInputMessage
        NtMITPrepareSendInputMessage NtMITProcessDelegateCapturedPointers NtMITSetForegroundRoutingInfo
        NtMITSetInputCallbacks NtMITSetInputDelegationMode NtMITSetInputObservationState
        NtMITSetInputSuppressionState NtMITSetKeyboardInputRoutingPolicy NtMITSetKeyboardOverriderState
        NtMITSetLastInputRecipient NtMITSynthesizeKeyboardInput NtMITSynthesizeMouseInput
        NtMITSynthesizeMouseWheel NtMITSynthesizeTouchInput NtMITUninitMinuserThread NtMITUpdateInputGlobals
        NtMITWaitForMultipleObjectsEx NtMinGetInputTransform NtMinInteropCoreMessagingWithInput
        NtMinQPeekForInput NtMinQSuspendInputProcessing NtMinQUpdateWakeMask NtModerncoreBeginLayoutUpdate
        NtModerncoreCreateDCompositionHwndTarget NtModerncoreCreateGDIHwndTarget
        NtModerncoreDestroyDCompositionHwndTarget NtModerncoreDestroyGDIHwndTarget
        NtModerncoreEnableResizeLayoutSynchronization NtModerncoreGetNavigationWindowVisual
        NtModerncoreGetResizeDCompositionSynchronizationObject NtModerncoreGetWindowContentVisual
        NtModerncoreIdleTimerThread NtModerncoreIsResizeLayoutSynchronizationEnabled
        NtModerncoreProcessConnect NtModerncoreRegisterEnhancedNavigationWindowHandle
        NtModerncoreRegisterNavigationWindowHandle NtModerncoreSetNavigationServiceSid
        NtModerncoreUnregisterNavigationWindowHandle NtRIMAddInputObserver NtRIMAreSiblingDevices
        NtRIMDeviceIoControl NtRIMEnableMonitorMappingForDevice NtRIMFreeInputBuffer
        NtRIMGetDevicePreparsedData NtRIMGetDevicePreparsedDataLockfree NtRIMGetDeviceProperties
        NtRIMGetDevicePropertiesLockfree NtRIMGetPhysicalDeviceRect NtRIMGetSourceProcessId
        NtRIMObserveNextInput NtRIMOnAsyncPnpWorkNotification NtRIMOnPnpNotification NtRIMOnTimerNotification
        NtRIMQueryDevicePath NtRIMReadInput NtRIMRegisterForInput NtRIMRegisterForInputEx
        NtRIMRemoveInputObserver NtRIMSetDeadzoneRotation NtRIMSetExtendedDeviceProperty
        NtRIMSetTestModeStatus NtRIMUnregisterForInput NtRIMUpdateInputObserverRegistration
        NtUserCreateSystemThreads NtUserDownlevelTouchpad NtUserDrainThreadCoreMessagingCompletions
        NtUserDrainThreadCoreMessagingCompletions2 NtUserHandleSystemThreadCreationFailure
        NtUserInitThreadCoreMessagingIocp NtUserInitThreadCoreMessagingIocp2 NtUserMinInitialize
        NtUserRegisterCoreMessagingEndPoint NtUserRegisterSystemThread NtUserWakeRITForShutdown
    }
};
