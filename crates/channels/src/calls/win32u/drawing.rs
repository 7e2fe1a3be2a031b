//! Drawing, and what a process does with itself: no IPC.

use crate::call::{Group, groups};

/// Sorted by kind.
pub(in crate::calls) const GROUPS: &[Group] = groups! {
    Graphics Other SameVm Open "makes or takes a drawing object that other processes may hold" {
        NtGdiConvertMetafileRect NtGdiCreateBitmapFromDxSurface NtGdiCreateBitmapFromDxSurface2
        NtGdiCreateServerMetaFile NtGdiCreateSessionMappedDIBSection NtGdiDxgGenericThunk
        NtGdiGetServerMetaFileBits NtGdiMakeObjectUnXferable NtGdiMakeObjectXferable
    }
    Local None NoIpc Settled "draws: contexts, bitmaps, fonts, paths and regions are the process's own" {
        NtGdiAbortPath NtGdiAddFontMemResourceEx NtGdiAngleArc NtGdiAnyLinkedFonts
        NtGdiArcInternal NtGdiBRUSHOBJ_DeleteRbrush NtGdiBRUSHOBJ_hGetColorTransform
        NtGdiBRUSHOBJ_pvAllocRbrush NtGdiBRUSHOBJ_pvGetRbrush NtGdiBRUSHOBJ_ulGetBrushColor
        NtGdiBeginGdiRendering NtGdiBeginPath NtGdiCLIPOBJ_bEnum NtGdiCLIPOBJ_cEnumStart
        NtGdiCLIPOBJ_ppoGetPath NtGdiCancelDC NtGdiCheckBitmapBits NtGdiClearBitmapAttributes
        NtGdiClearBrushAttributes NtGdiCloseFigure NtGdiColorCorrectPalette NtGdiCombineRgn
        NtGdiCombineTransform NtGdiComputeXformCoefficients NtGdiCreateBitmap NtGdiCreateClientObj
        NtGdiCreateColorSpace NtGdiCreateColorTransform NtGdiCreateCompatibleBitmap NtGdiCreateCompatibleDC
        NtGdiCreateDIBBrush NtGdiCreateDIBSection NtGdiCreateDIBitmapInternal NtGdiCreateEllipticRgn
        NtGdiCreateHalftonePalette NtGdiCreateHatchBrushInternal NtGdiCreateMetafileDC
        NtGdiCreatePaletteInternal NtGdiCreatePatternBrushInternal NtGdiCreatePen NtGdiCreateRectRgn
        NtGdiCreateRoundRectRgn NtGdiCreateSolidBrush NtGdiD3dContextCreate NtGdiD3dContextDestroy
        NtGdiD3dContextDestroyAll NtGdiD3dDrawPrimitives2 NtGdiD3dValidateTextureStageState
        NtGdiDdAddAttachedSurface NtGdiDdAlphaBlt NtGdiDdAttachSurface NtGdiDdBeginMoCompFrame NtGdiDdBlt
        NtGdiDdCanCreateD3DBuffer NtGdiDdCanCreateSurface NtGdiDdColorControl NtGdiDdCreateD3DBuffer
        NtGdiDdCreateDirectDrawObject NtGdiDdCreateFullscreenSprite NtGdiDdCreateMoComp NtGdiDdCreateSurface
        NtGdiDdCreateSurfaceEx NtGdiDdCreateSurfaceObject NtGdiDdDeleteDirectDrawObject
        NtGdiDdDeleteSurfaceObject NtGdiDdDestroyD3DBuffer NtGdiDdDestroyFullscreenSprite NtGdiDdDestroyMoComp
        NtGdiDdDestroySurface NtGdiDdEndMoCompFrame NtGdiDdFlip NtGdiDdFlipToGDISurface
        NtGdiDdGetAvailDriverMemory NtGdiDdGetBltStatus NtGdiDdGetDC NtGdiDdGetDriverInfo
        NtGdiDdGetDriverState NtGdiDdGetDxHandle NtGdiDdGetFlipStatus NtGdiDdGetInternalMoCompInfo
        NtGdiDdGetMoCompBuffInfo NtGdiDdGetMoCompFormats NtGdiDdGetMoCompGuids NtGdiDdGetScanLine NtGdiDdLock
        NtGdiDdLockD3D NtGdiDdNotifyFullscreenSpriteUpdate NtGdiDdQueryDirectDrawObject
        NtGdiDdQueryMoCompStatus NtGdiDdQueryVisRgnUniqueness NtGdiDdReenableDirectDrawObject NtGdiDdReleaseDC
        NtGdiDdRenderMoComp NtGdiDdResetVisrgn NtGdiDdSetColorKey NtGdiDdSetExclusiveMode NtGdiDdSetGammaRamp
        NtGdiDdSetOverlayPosition NtGdiDdUnattachSurface NtGdiDdUnlock NtGdiDdUnlockD3D NtGdiDdUpdateOverlay
        NtGdiDdWaitForVerticalBlank NtGdiDeleteClientObj NtGdiDeleteColorSpace NtGdiDeleteColorTransform
        NtGdiDescribePixelFormat NtGdiDoPalette NtGdiDrawStream
        NtGdiDvpAcquireNotification NtGdiDvpCanCreateVideoPort NtGdiDvpColorControl NtGdiDvpCreateVideoPort
        NtGdiDvpDestroyVideoPort NtGdiDvpFlipVideoPort NtGdiDvpGetVideoPortBandwidth
        NtGdiDvpGetVideoPortConnectInfo NtGdiDvpGetVideoPortField NtGdiDvpGetVideoPortFlipStatus
        NtGdiDvpGetVideoPortInputFormats NtGdiDvpGetVideoPortLine NtGdiDvpGetVideoPortOutputFormats
        NtGdiDvpGetVideoSignalStatus NtGdiDvpReleaseNotification NtGdiDvpUpdateVideoPort
        NtGdiDvpWaitForVideoPortSync NtGdiEllipse NtGdiEndGdiRendering NtGdiEndPath NtGdiEngAlphaBlend
        NtGdiEngAssociateSurface NtGdiEngBitBlt NtGdiEngCheckAbort NtGdiEngComputeGlyphSet NtGdiEngCopyBits
        NtGdiEngCreateBitmap NtGdiEngCreateClip NtGdiEngCreateDeviceBitmap NtGdiEngCreateDeviceSurface
        NtGdiEngCreatePalette NtGdiEngDeleteClip NtGdiEngDeletePalette NtGdiEngDeletePath
        NtGdiEngDeleteSurface NtGdiEngEraseSurface NtGdiEngFillPath NtGdiEngGradientFill NtGdiEngLineTo
        NtGdiEngLockSurface NtGdiEngMarkBandingSurface NtGdiEngPaint NtGdiEngPlgBlt NtGdiEngStretchBlt
        NtGdiEngStretchBltROP NtGdiEngStrokeAndFillPath NtGdiEngStrokePath NtGdiEngTextOut
        NtGdiEngTransparentBlt NtGdiEngUnlockSurface NtGdiEnsureDpiDepDefaultGuiFontForPlateau NtGdiEnumFonts
        NtGdiEnumObjects NtGdiEqualRgn NtGdiExcludeClipRect NtGdiExtCreatePen NtGdiExtCreateRegion
        NtGdiExtFloodFill NtGdiExtGetObjectW NtGdiExtSelectClipRgn NtGdiExtTextOutW
        NtGdiFONTOBJ_cGetAllGlyphHandles NtGdiFONTOBJ_cGetGlyphs NtGdiFONTOBJ_pQueryGlyphAttrs
        NtGdiFONTOBJ_pfdg NtGdiFONTOBJ_pifi NtGdiFONTOBJ_pvTrueTypeFontFile NtGdiFONTOBJ_pxoGetXform
        NtGdiFONTOBJ_vGetInfo NtGdiFillPath NtGdiFillRgn NtGdiFlattenPath NtGdiFlush NtGdiFontIsLinked
        NtGdiFrameRgn NtGdiGetAndSetDCDword NtGdiGetAppClipBox NtGdiGetAppliedDeviceGammaRamp
        NtGdiGetBitmapBits NtGdiGetBitmapDimension NtGdiGetBitmapDpiScaleValue NtGdiGetBoundsRect
        NtGdiGetCharABCWidthsW NtGdiGetCharSet NtGdiGetCharWidthInfo NtGdiGetCharWidthW
        NtGdiGetCharacterPlacementW NtGdiGetColorAdjustment NtGdiGetColorSpaceforBitmap NtGdiGetCurrentDpiInfo
        NtGdiGetDCDpiScaleValue NtGdiGetDCDword NtGdiGetDCObject NtGdiGetDCPoint NtGdiGetDIBitsInternal
        NtGdiGetDeviceCaps NtGdiGetDeviceCapsAll NtGdiGetDeviceGammaRamp NtGdiGetDeviceWidth NtGdiGetDhpdev
        NtGdiGetEmbUFI NtGdiGetEmbedFonts NtGdiGetEntry NtGdiGetEudcTimeStampEx NtGdiGetFontData
        NtGdiGetFontUnicodeRanges NtGdiGetGammaRampCapability NtGdiGetGlyphIndicesW
        NtGdiGetGlyphIndicesWInternal NtGdiGetGlyphOutline NtGdiGetKerningPairs NtGdiGetLinkedUFIs
        NtGdiGetMiterLimit NtGdiGetNearestColor NtGdiGetNearestPaletteIndex NtGdiGetObjectBitmapHandle
        NtGdiGetOutlineTextMetricsInternalW NtGdiGetPath NtGdiGetRandomRgn
        NtGdiGetRasterizerCaps NtGdiGetRealizationInfo NtGdiGetRegionData NtGdiGetRgnBox NtGdiGetStats
        NtGdiGetStockObject NtGdiGetStringBitmapW NtGdiGetSystemPaletteUse NtGdiGetTextCharsetInfo
        NtGdiGetTextExtent NtGdiGetTextExtentExW NtGdiGetTextFaceW NtGdiGetTextMetricsW NtGdiGetTransform
        NtGdiGetUFI NtGdiGetWidthTable NtGdiGradientFill NtGdiHT_Get8BPPFormatPalette
        NtGdiHT_Get8BPPMaskPalette NtGdiHfontCreate NtGdiIcmBrushInfo NtGdiInit NtGdiInit2
        NtGdiIntersectClipRect NtGdiInvertRgn NtGdiLineTo NtGdiMakeInfoDC NtGdiMirrorWindowOrg
        NtGdiModifyWorldTransform NtGdiMonoBitmap NtGdiMoveTo NtGdiOffsetClipRgn NtGdiOffsetRgn
        NtGdiPATHOBJ_bEnum NtGdiPATHOBJ_bEnumClipLines NtGdiPATHOBJ_vEnumStart
        NtGdiPATHOBJ_vEnumStartClipLines NtGdiPATHOBJ_vGetBounds NtGdiPatBlt NtGdiPathToRegion
        NtGdiPolyDraw NtGdiPolyPatBlt NtGdiPolyPolyDraw NtGdiPolyTextOutW NtGdiPtInRegion NtGdiPtVisible
        NtGdiQueryFontAssocInfo NtGdiQueryFonts NtGdiRectInRegion NtGdiRectVisible NtGdiRectangle
        NtGdiRemoveFontMemResourceEx NtGdiResizePalette NtGdiRestoreDC NtGdiRoundRect NtGdiSTROBJ_bEnum
        NtGdiSTROBJ_bEnumPositionsOnly NtGdiSTROBJ_bGetAdvanceWidths NtGdiSTROBJ_dwGetCodePage
        NtGdiSTROBJ_vEnumStart NtGdiSaveDC NtGdiScaleRgn NtGdiScaleValues NtGdiScaleViewportExtEx
        NtGdiScaleWindowExtEx NtGdiSelectBitmap NtGdiSelectBrush NtGdiSelectClipPath NtGdiSelectFont
        NtGdiSelectPen NtGdiSetBitmapAttributes NtGdiSetBitmapBits NtGdiSetBitmapDimension NtGdiSetBoundsRect
        NtGdiSetBrushAttributes NtGdiSetBrushOrg NtGdiSetColorAdjustment NtGdiSetColorSpace
        NtGdiSetDIBitsToDeviceInternal NtGdiSetFontEnumeration NtGdiSetFontXform NtGdiSetIcmMode
        NtGdiSetLayout NtGdiSetMagicColors NtGdiSetMetaRgn NtGdiSetMiterLimit NtGdiSetPixel
        NtGdiSetPixelFormat NtGdiSetRectRgn NtGdiSetSizeDevice NtGdiSetTextJustification
        NtGdiSetVirtualResolution NtGdiStretchDIBitsInternal NtGdiStrokeAndFillPath
        NtGdiStrokePath NtGdiSwapBuffers NtGdiTransformPoints NtGdiUnrealizeObject
        NtGdiUpdateColors NtGdiUpdateTransform NtGdiWaitForTextReady NtGdiWidenPath NtGdiXFORMOBJ_bApplyXform
        NtGdiXFORMOBJ_iGetXform NtGdiXLATEOBJ_cGetPalette NtGdiXLATEOBJ_hGetColorTransform
        NtGdiXLATEOBJ_iXlate __wine_get_file_outline_text_metric __wine_get_icm_profile
    }
    Local None NoIpc Settled "takes messages from the thread's own queue, or sets how that is done" {
        NtUserAutoPromoteMouseInPointer NtUserBeginDeferWindowPos NtUserCancelQueueEventCompletionPacket
        NtUserClearRunWakeBit NtUserClearWakeMask NtUserCreateInputContext NtUserDisableThreadIme
        NtUserDiscardPointerFrameMessages NtUserEnableMouseInPointer NtUserEnableMouseInPointerForThread
        NtUserEnableMouseInputForCursorSuppression NtUserEndTouchOperation NtUserGetCurrentInputMessageSource
        NtUserGetMessage NtUserGetMessagePos NtUserGetQueueEventStatus NtUserGetQueueIocp NtUserGetQueueStatus
        NtUserGetQueueStatusReadonly NtUserGetThreadState NtUserIsMouseInPointerEnabled
        NtUserIsMouseInputEnabled NtUserMsgWaitForMultipleObjectsEx NtUserPeekMessage NtUserPostQuitMessage
        NtUserProcessInkFeedbackCommand NtUserPromoteMouseInPointer NtUserPromotePointer
        NtUserPromotePrimaryPointerToDrag NtUserRealInternalGetMessage NtUserRealWaitMessageEx
        NtUserReassociateQueueEventCompletionPacket NtUserReleaseCapture NtUserRemoveQueueCompletion
        NtUserReportInertia NtUserScheduleDispatchNotification NtUserSetMessageExtraInfo NtUserSetMsgBox
        NtUserSetTSFEventState NtUserSetThreadLayoutHandles NtUserSetThreadState NtUserStopAndEndInertia
        NtUserTranslateMessage NtUserWaitAvailableMessageEx NtUserWaitForMsgAndEvent NtUserWaitMessage
    }
    Local None NoIpc Settled "the calling process alone: its classes, menus, caret, key tables, units of measure" {
        NtUserCalculatePopupWindowPosition NtUserCallMsgFilter NtUserCheckProcessSession NtUserCitSetInfo
        NtUserCopyAcceleratorTable NtUserCreateAcceleratorTable NtUserCreateEmptyCursorObject
        NtUserCreateMenu NtUserCreatePalmRejectionDelayZone NtUserCreatePopupMenu
        NtUserDWP_GetEnabledPopupOffset NtUserDestroyCaret NtUserDestroyPalmRejectionDelayZone
        NtUserDirectedYield NtUserDisableProcessWindowFiltering NtUserDisableProcessWindowsGhosting
        NtUserDispatchMessage NtUserEnablePerMonitorMenuScaling NtUserEnableTouchPad NtUserEndMenu
        NtUserEnsureDpiDepSysMetCacheForPlateau NtUserGetAppImeLevel NtUserGetCIMSSM NtUserGetCPD
        NtUserGetCaretPos NtUserGetClassInfoEx NtUserGetDpiForCurrentProcess NtUserGetMinuserIdForBaseWindow
        NtUserGetProcessDefaultLayout NtUserGetWOWClass NtUserHidePointerContactVisualization
        NtUserInitAnsiOem NtUserInitRunThread NtUserInitTask NtUserInitialize NtUserInternalToUnicode
        NtUserLogicalToPhysicalDpiPointForWindow NtUserLogicalToPhysicalPoint NtUserMapVirtualKeyEx
        NtUserModifyUserStartupInfoFlags NtUserPhysicalToLogicalDpiPointForWindow
        NtUserPhysicalToLogicalPoint NtUserProcessConnect NtUserRealizePalette NtUserRegisterClassExWOW
        NtUserRegisterLPK NtUserRegisterTouchPadCapable NtUserReplyMessage NtUserResetDblClk
        NtUserScaleSystemMetricForDPIWithoutCache NtUserScrollDC NtUserSelectPalette NtUserSetCaretPos
        NtUserSetProcessDPIAware NtUserSetProcessDefaultLayout NtUserSetProcessDpiAwarenessContext
        NtUserSetProcessMousewheelRoutingMode NtUserTestForInteractiveUser NtUserToUnicodeEx
        NtUserTraceLoggingSendMixedModeTelemetry NtUserTransformPoint NtUserTransformRect
        NtUserUnregisterClass NtUserUpdateInstance NtUserValidateTimerCallback NtUserVkKeyScanEx
        NtUserWOWCleanup NtUserWOWModuleUnload NtUserYieldTask
    }
    Local Name SameVm Hooked "the window, thread or process that it names must be of a member" {
        NtUserCreateCaret NtUserDrawCaptionTemp NtUserLogicalToPerMonitorDPIPhysicalPoint
        NtUserPerMonitorDPIPhysicalToLogicalPoint NtUserReleaseDC
    }
    Local Other OwnName Hooked "the calling process alone: its classes, menus, caret, key tables, units of measure" {
        NtUserInitializeClientPfnArrays
    }
};
