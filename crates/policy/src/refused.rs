//! win32k's calls that a member may not make at all, and what each answers.
//!
//! They change what the user has set for all programs of the session, act on
//! the session itself, or on its displays, or they read what those show. Windows refuses most of them to a
//! program whose window station the user does not see; Wine lets them be, and
//! keeps what they set where every program finds it. Signatures: phnt's
//! ntuser.h, ntuser.h of Wine 10, ntgdi.h of the WDK for those of displays.

use crate::user::{ERROR_ACCESS_DENIED, ERROR_REQUIRES_INTERACTIVE_WINDOWSTATION};

/// A call that is refused.
#[derive(Debug, Clone, Copy)]
pub struct Refused {
    /// win32u's export.
    pub name: &'static str,
    /// What it returns.
    pub answer: u64,
    /// The last error that goes with it.
    pub error: u32,
}

/// `DISP_CHANGE_FAILED` (winuser.h) as a 32-bit result.
const DISP_CHANGE_FAILED: u64 = 0xffff_ffff;
/// `STATUS_ACCESS_DENIED` (ntstatus.h) as a 32-bit result.
const STATUS_ACCESS_DENIED: u64 = 0xc000_0022;

macro_rules! refused {
    ($($answer:expr, $error:expr => $($name:ident)+;)*) => {
        /// The refused calls.
        pub const REFUSED: &[Refused] = &[$($(Refused {
            name: stringify!($name),
            answer: $answer,
            error: $error,
        },)+)*];
    };
}

refused! {
    // What the user set for all programs.
    0, ERROR_REQUIRES_INTERACTIVE_WINDOWSTATION =>
        NtUserEnableShellWindowManagementBehavior NtUserForceMaxTouchpadSensitivityForCurrentProcess
        NtUserSetCalibrationData NtUserSetCaretBlinkTime NtUserSetDimUndimTransitionTime
        NtUserSetDoubleClickTime NtUserSetImeHotKey NtUserSetImmersiveBackgroundWindow
        NtUserSetInputServiceState NtUserSetMaxTouchpadSensitivity NtUserSetMouseInputRateLimitingTimer
        NtUserSetPrecisionTouchPadConfiguration NtUserSetProgmanWindow NtUserSetShellChangeNotifyHWND
        NtUserSetShellSpecialWindow NtUserSetSysColors NtUserSetSystemCursor NtUserSetTaskmanWindow
        NtUserSwapMouseButton;
    // The session.
    0, ERROR_ACCESS_DENIED =>
        NtUserCtxDisplayIOCtl NtUserDoSoundConnect NtUserDoSoundDisconnect NtUserEnableSessionForMMCSS
        NtUserHardErrorControl NtUserLockWindowStation NtUserLockWorkStation NtUserNotifyProcessCreate
        NtUserPrepareForLogoff NtUserRegisterErrorReportingDialog NtUserRegisterLogonProcess
        NtUserRegisterServicesProcess NtUserRegisterSessionPort NtUserRegisterShellHookWindow
        NtUserRegisterTasklist
        NtUserRemoteConnectState NtUserRemoteNotify NtUserRemoteRedrawRectangle
        NtUserRemoteRedrawScreen NtUserRemoteStopScreenUpdates NtUserSetSensorPresence
        NtUserSetWatermarkStrings NtUserSwitchDesktop NtUserUnlockWindowStation
        NtUserUnregisterSessionPort NtUserUpdatePerUserImmEnabling NtUserUpdatePerUserSystemParameters
        NtUserUserPowerCalloutWorker;
    // Input as if it were the user's, past SendInput, and all input kept away.
    0, ERROR_ACCESS_DENIED =>
        NtUserBlockInput NtUserCreateSyntheticPointerDevice2 NtUserInitializeGenericHidInjection
        NtUserInitializeInputDeviceInjection NtUserInitializePointerDeviceInjection
        NtUserInitializePointerDeviceInjectionEx NtUserInitializeTouchInjection
        NtUserInjectDeviceInput NtUserInjectGenericHidInput NtUserInjectGesture
        NtUserInjectKeyboardInput NtUserInjectMouseInput NtUserInjectPointerInput
        NtUserInjectTouchInput NtUserInjectTouchpadAction NtUserSendTouchInput;
    STATUS_ACCESS_DENIED, ERROR_ACCESS_DENIED =>
        NtUserRemoteConnect NtUserRemoteConsoleShadowStop NtUserRemoteDisconnect
        NtUserRemotePassthruDisable NtUserRemotePassthruEnable NtUserRemoteReconnect
        NtUserRemoteShadowCleanup NtUserRemoteShadowSetup NtUserRemoteShadowStart NtUserRemoteShadowStop
        NtUserRemoteThinwireStats;
    // The displays.
    DISP_CHANGE_FAILED, ERROR_ACCESS_DENIED =>
        NtUserChangeDisplaySettings;
    5, ERROR_ACCESS_DENIED =>
        NtUserDisplayConfigSetDeviceInfo NtUserSetDisplayConfig;
    0, ERROR_ACCESS_DENIED =>
        NtGdiSetDeviceGammaRamp NtGdiSetPrivateDeviceGammaRamp NtGdiSetSystemPaletteUse
        NtUserAutoRotateScreen NtUserDeferredDesktopRotation
        NtUserEnableSoftwareCursorForScreenCapture NtUserFunctionalizeDisplayConfig
        NtUserGetMonitorBrightness NtUserSetAutoRotation NtUserSetDesktopColorTransform
        NtUserSetDisplayAutoRotationPreferences NtUserSetDisplayMapping NtUserSetMirrorRendering
        NtUserSetMonitorBrightness NtUserSetMonitorWorkArea NtUserSlicerControl;
    STATUS_ACCESS_DENIED, ERROR_ACCESS_DENIED =>
        NtDxgkDispMgrOperation NtDxgkDisplayMuxSwitchExecute NtDxgkDisplayMuxSwitchFinish
        NtDxgkDisplayMuxSwitchPrepare NtDxgkDisplayPortOperation NtDxgkSetProperties
        NtGdiConfigureOPMProtectedOutput NtGdiCreateOPMProtectedOutput NtGdiCreateOPMProtectedOutputs
        NtGdiDDCCIGetCapabilitiesString NtGdiDDCCIGetCapabilitiesStringLength NtGdiDDCCIGetTimingReport
        NtGdiDDCCIGetVCPFeature NtGdiDDCCISaveCurrentSettings NtGdiDDCCISetVCPFeature
        NtGdiDdDDIAdjustFullscreenGamma NtGdiDdDDIDispMgrCreate NtGdiDdDDIDispMgrSourceOperation
        NtGdiDdDDIDispMgrTargetOperation NtGdiDdDDIInvalidateActiveVidPn
        NtGdiDdDDINetDispGetNextChunkInfo NtGdiDdDDINetDispQueryMiracastDisplayDeviceStatus
        NtGdiDdDDINetDispQueryMiracastDisplayDeviceSupport NtGdiDdDDINetDispStartMiracastDisplayDevice
        NtGdiDdDDINetDispStartMiracastDisplayDeviceEx NtGdiDdDDINetDispStopMiracastDisplayDevice
        NtGdiDdDDINetDispStopSessions NtGdiDdDDIPollDisplayChildren NtGdiDdDDISetDisplayMode
        NtGdiDdDDISetDisplayPrivateDriverFormat NtGdiDdDDISetDodIndirectSwapchain NtGdiDdDDISetFSEBlock
        NtGdiDdDDISetGammaRamp NtGdiDdDDISetHwProtectionTeardownRecovery
        NtGdiDdDDISetMonitorColorSpaceTransform NtGdiDdDDISetStablePowerState NtGdiDdDDISetStereoEnabled
        NtGdiDdDDISetVidPnSourceHwProtection NtGdiDdDDISetVidPnSourceOwner
        NtGdiDdDDISetVidPnSourceOwner1 NtGdiDdDDISetYieldPercentage NtGdiDestroyOPMProtectedOutput
        NtGdiDestroyPhysicalMonitor NtGdiGetCOPPCompatibleOPMInformation NtGdiGetCertificate
        NtGdiGetCertificateByHandle NtGdiGetCertificateSize NtGdiGetCertificateSizeByHandle
        NtGdiGetMonitorID NtGdiGetNumberOfPhysicalMonitors NtGdiGetOPMInformation
        NtGdiGetOPMRandomNumber NtGdiGetPhysicalMonitorDescription NtGdiGetPhysicalMonitorFromTarget
        NtGdiGetPhysicalMonitors NtGdiGetSuggestedOPMProtectedOutputArraySize
        NtGdiSetOPMSigningKeyAndSequenceNumbers;
    // What the displays show.
    0, ERROR_ACCESS_DENIED =>
        NtUserGetDCompositionHwndBitmap NtUserHwndQueryRedirectionInfo NtUserMagControl
        NtUserMagSetContextInformation;
    STATUS_ACCESS_DENIED, ERROR_ACCESS_DENIED =>
        NtDesktopCaptureBits NtGdiDdDDICreateOutputDupl NtGdiDwmCreatedBitmapRemotingOutput
        NtVisualCaptureBits;
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::user::GUARDED;
    use std::collections::BTreeSet;

    #[test]
    fn each_call_is_there_once_and_is_not_judged_by_its_arguments_too() {
        let names: BTreeSet<_> = REFUSED.iter().map(|call| call.name).collect();
        assert_eq!(names.len(), REFUSED.len());
        assert!(GUARDED.iter().all(|call| !names.contains(call.name)));
    }
}
