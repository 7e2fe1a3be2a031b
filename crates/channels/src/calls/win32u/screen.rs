//! The screen, the displays, fonts and printers.

use crate::call::{Group, groups};

/// Sorted by kind.
pub(in crate::calls) const GROUPS: &[Group] = groups! {
    Printers Other ServerInside Open "prints, or speaks to the printer's driver" {
        NtGdiAbortDoc NtGdiDisableUMPDSandboxing NtGdiDoBanding NtGdiDrawEscape NtGdiEndDoc NtGdiEndPage
        NtGdiExtEscape NtGdiGetETM NtGdiGetPerBandInfo NtGdiGetSpoolMessage NtGdiInitSpool NtGdiResetDC
        NtGdiSetPUMPDOBJ NtGdiSetUMPDSandboxState NtGdiStartDoc NtGdiStartPage NtGdiUMPDEngFreeUserMem
        NtGdiUnloadPrinterDriver
    }
    Screen Other SameVm Open "reads what other programs show" {
        NtDxgkOutputDuplPresentToHwQueue
        NtGdiDdDDIDestroyOutputDupl NtGdiDdDDIGetDWMVerticalBlankEvent NtGdiDdDDIGetPresentHistory
        NtGdiDdDDIOutputDuplGetFrameInfo NtGdiDdDDIOutputDuplGetMetaData
        NtGdiDdDDIOutputDuplGetPointerShapeData NtGdiDdDDIOutputDuplPresent NtGdiDdDDIOutputDuplReleaseFrame
        NtGdiFullscreenControl NtGdiGetDCforBitmap NtUserBitBltSysBmp
        NtUserGetCursorInfo NtUserGetDwmCursorShape
        NtUserHwndSetRedirectionInfo
        NtUserMagGetContextInformation NtUserPaintDesktop NtUserPaintMonitor
    }
    Screen Name SameVm Hooked "the window, thread or process that it names must be of a member" {
        NtUserGetDC NtUserGetDCEx NtUserGetWindowDC NtUserPrintWindow
    }
    Screen Other SameVm Hooked "on the user's desktop what reads pixels reads those of members' windows and of the memory only" {
        NtGdiAlphaBlend NtGdiBitBlt NtGdiDeleteObjectApp NtGdiGetPixel NtGdiMaskBlt NtGdiOpenDCW NtGdiPlgBlt
        NtGdiStretchBlt NtGdiTransparentBlt NtUserWindowFromDC
    }
    Screen Other Denied Hooked "reads what the displays show" {
        NtDesktopCaptureBits NtGdiDdDDICreateOutputDupl NtGdiDwmCreatedBitmapRemotingOutput
        NtUserGetDCompositionHwndBitmap NtUserHwndQueryRedirectionInfo NtUserMagControl
        NtUserMagSetContextInformation NtVisualCaptureBits
    }
    Screen Other Denied Hooked "changes or asks the displays themselves, which all programs share" {
        NtDxgkDispMgrOperation NtDxgkDisplayMuxSwitchExecute NtDxgkDisplayMuxSwitchFinish
        NtDxgkDisplayMuxSwitchPrepare NtDxgkDisplayPortOperation NtDxgkSetProperties
        NtGdiConfigureOPMProtectedOutput NtGdiCreateOPMProtectedOutput NtGdiCreateOPMProtectedOutputs
        NtGdiDDCCIGetCapabilitiesString NtGdiDDCCIGetCapabilitiesStringLength NtGdiDDCCIGetTimingReport
        NtGdiDDCCIGetVCPFeature NtGdiDDCCISaveCurrentSettings NtGdiDDCCISetVCPFeature
        NtGdiDdDDIAdjustFullscreenGamma NtGdiDdDDIDispMgrCreate NtGdiDdDDIDispMgrSourceOperation
        NtGdiDdDDIDispMgrTargetOperation NtGdiDdDDIInvalidateActiveVidPn NtGdiDdDDINetDispGetNextChunkInfo
        NtGdiDdDDINetDispQueryMiracastDisplayDeviceStatus NtGdiDdDDINetDispQueryMiracastDisplayDeviceSupport
        NtGdiDdDDINetDispStartMiracastDisplayDevice NtGdiDdDDINetDispStartMiracastDisplayDeviceEx
        NtGdiDdDDINetDispStopMiracastDisplayDevice NtGdiDdDDINetDispStopSessions NtGdiDdDDIPollDisplayChildren
        NtGdiDdDDISetDisplayMode NtGdiDdDDISetDisplayPrivateDriverFormat NtGdiDdDDISetDodIndirectSwapchain
        NtGdiDdDDISetFSEBlock NtGdiDdDDISetGammaRamp NtGdiDdDDISetHwProtectionTeardownRecovery
        NtGdiDdDDISetMonitorColorSpaceTransform NtGdiDdDDISetStablePowerState NtGdiDdDDISetStereoEnabled
        NtGdiDdDDISetVidPnSourceHwProtection NtGdiDdDDISetVidPnSourceOwner NtGdiDdDDISetVidPnSourceOwner1
        NtGdiDdDDISetYieldPercentage NtGdiDestroyOPMProtectedOutput NtGdiDestroyPhysicalMonitor
        NtGdiGetCOPPCompatibleOPMInformation NtGdiGetCertificate NtGdiGetCertificateByHandle
        NtGdiGetCertificateSize NtGdiGetCertificateSizeByHandle NtGdiGetMonitorID
        NtGdiGetNumberOfPhysicalMonitors NtGdiGetOPMInformation NtGdiGetOPMRandomNumber
        NtGdiGetPhysicalMonitorDescription NtGdiGetPhysicalMonitorFromTarget NtGdiGetPhysicalMonitors
        NtGdiGetSuggestedOPMProtectedOutputArraySize NtGdiSetDeviceGammaRamp
        NtGdiSetOPMSigningKeyAndSequenceNumbers NtGdiSetPrivateDeviceGammaRamp NtGdiSetSystemPaletteUse
        NtUserAutoRotateScreen NtUserChangeDisplaySettings NtUserDeferredDesktopRotation
        NtUserDisplayConfigSetDeviceInfo NtUserEnableSoftwareCursorForScreenCapture
        NtUserFunctionalizeDisplayConfig NtUserGetMonitorBrightness NtUserSetAutoRotation
        NtUserSetDesktopColorTransform NtUserSetDisplayAutoRotationPreferences NtUserSetDisplayConfig
        NtUserSetDisplayMapping NtUserSetMirrorRendering NtUserSetMonitorBrightness NtUserSetMonitorWorkArea
        NtUserSlicerControl
    }
    Settings None NoIpc Settled "reads a setting of displays or keyboards that programs do not send by" {
        NtUserDisplayConfigGetDeviceInfo NtUserEnumDisplayDevices NtUserEnumDisplayMonitors
        NtUserEnumDisplaySettings NtUserGetAutoRotationState NtUserGetCaretBlinkTime NtUserGetControlBrush
        NtUserGetControlColor NtUserGetDeviceChangeInfo NtUserGetDisplayAutoRotationPreferences
        NtUserGetDisplayConfigBufferSizes NtUserGetDoubleClickTime NtUserGetDpiForMonitor
        NtUserGetDpiSystemMetrics NtUserGetExtendedPointerDeviceProperty NtUserGetGlobalIMEStatus
        NtUserGetHDevName NtUserGetHimetricScaleFactorFromPixelLocation NtUserGetIMEShowStatus
        NtUserGetImeHotKey NtUserGetImeInfoEx NtUserGetInputContainerId NtUserGetInputLocaleInfo
        NtUserGetKeyNameText NtUserGetKeyboardLayoutList NtUserGetKeyboardLayoutName NtUserGetKeyboardType
        NtUserGetOemBitmapSize NtUserGetPhysicalDeviceRect NtUserGetPrecisionTouchPadConfiguration
        NtUserGetRequiredCursorSizes NtUserGetSystemContentRects NtUserGetUniformSpaceMapping
        NtUserQueryDisplayConfig
    }
    Settings Name SameVm Hooked "the window, thread or process that it names must be of a member" {
        NtUserGetKeyboardLayout
    }
    Fonts Name OwnName Open "loads or tells fonts, which the session shares unless they were loaded as private" {
        NtGdiAddEmbFontToDC NtGdiAddFontResourceW NtGdiAddInitialFonts NtGdiAddRemoteFontToDC
        NtGdiAddRemoteMMInstanceToDC NtGdiChangeGhostFont NtGdiEnableEudc NtGdiEudcLoadUnloadLink
        NtGdiForceUFIMapping NtGdiGetFontFileData NtGdiGetFontFileInfo NtGdiGetFontResourceInfoInternalW
        NtGdiGetProcessSessionFonts NtGdiGetPublicFontTableChangeCookie NtGdiGetUFIPathname NtGdiMakeFontDir
        NtGdiRemoveFontResourceW NtGdiRemoveMergeFont NtGdiSetLinkedUFIs NtGdiUnmapMemFont NtUserLW_LoadFonts
    }
};
