//! Direct3D's kernel interface, and the compositor.

use crate::call::{Group, groups};

/// Sorted by kind.
pub(in crate::calls) const GROUPS: &[Group] = groups! {
    Graphics Name OwnName Open "takes object attributes or the name of a shared resource" {
        NtGdiDdDDICreateBundleObject NtGdiDdDDIExtractBundleObject NtGdiDdDDIOpenBundleObjectNtHandleFromName
        NtGdiDdDDIOpenNtHandleFromName NtGdiDdDDIOpenSyncObjectNtHandleFromName NtGdiDdDDIShareObjects
    }
    Graphics Name Pass Settled "names a display adapter of the machine" {
        NtGdiDdDDIOpenAdapterFromDeviceName NtGdiDdDDIQueryRemoteVidPnSourceFromGdiDisplayName
    }
    Graphics Name SameVm Open "takes a global handle, which is a number known to the whole session, or lists processes" {
        NtDxgkDuplicateHandle NtDxgkEnumProcesses NtDxgkGetProcessList NtDxgkRegisterVailProcess
        NtDxgkVailConnect NtDxgkVailDisconnect NtDxgkVailPromoteCompositionSurface
        NtGdiDdDDICheckSharedResourceAccess NtGdiDdDDIConfigureSharedResource NtGdiDdDDICreateKeyedMutex
        NtGdiDdDDICreateKeyedMutex2 NtGdiDdDDIGetResourcePresentPrivateDriverData
        NtGdiDdDDIGetSharedPrimaryHandle NtGdiDdDDIGetSharedResourceAdapterLuid
        NtGdiDdDDIGetSharedResourceAdapterLuidFlipManager NtGdiDdDDIOpenKeyedMutex NtGdiDdDDIOpenKeyedMutex2
        NtGdiDdDDIOpenResource NtGdiDdDDIOpenResource2 NtGdiDdDDIOpenSwapChain
        NtGdiDdDDIOpenSynchronizationObject NtGdiDdDDIQueryResourceInfo
        NtGdiDdDDISharedPrimaryLockNotification NtGdiDdDDISharedPrimaryUnLockNotification
    }
    Graphics Other ByHandle Settled "takes a handle of a shared resource or a process that was decided when it was opened" {
        NtDxgkOpenNativeFenceFromNtHandle NtGdiDdDDIChangeVideoMemoryReservation
        NtGdiDdDDIGetMemoryBudgetTarget NtGdiDdDDIGetProcessDeviceLostSupport
        NtGdiDdDDIGetProcessDeviceRemovalSupport NtGdiDdDDIGetProcessSchedulingPriorityBand
        NtGdiDdDDIGetProcessSchedulingPriorityClass NtGdiDdDDIOpenKeyedMutexFromNtHandle
        NtGdiDdDDIOpenProtectedSessionFromNtHandle NtGdiDdDDIOpenResourceFromNtHandle
        NtGdiDdDDIOpenSyncObjectFromNtHandle NtGdiDdDDIOpenSyncObjectFromNtHandle2
        NtGdiDdDDIQueryProcessOfferInfo NtGdiDdDDIQueryProtectedSessionInfoFromNtHandle
        NtGdiDdDDIQueryResourceInfoFromNtHandle NtGdiDdDDIQueryStatistics NtGdiDdDDIQueryVideoMemoryInfo
        NtGdiDdDDIReleaseProcessVidPnSourceOwners NtGdiDdDDISetMemoryBudgetTarget
        NtGdiDdDDISetProcessDeviceRemovalSupport NtGdiDdDDISetProcessSchedulingPriorityBand
        NtGdiDdDDISetProcessSchedulingPriorityClass NtGdiDdDDITrimProcessCommitment
    }
    Local None NoIpc Settled "adapters, devices, allocations and fences of the process's own" {
        NtDxgkCancelPresents NtDxgkCheckSinglePlaneForMultiPlaneOverlaySupport NtDxgkConnectDoorbell
        NtDxgkCreateDoorbell NtDxgkCreateNativeFence NtDxgkCreateTrackedWorkload NtDxgkDestroyDoorbell
        NtDxgkDestroyTrackedWorkload NtDxgkEndTrackedWorkload NtDxgkEnumAdapters3
        NtDxgkGetAvailableTrackedWorkloadIndex NtDxgkGetNativeFenceLogDetail NtDxgkGetProperties
        NtDxgkGetTrackedWorkloadStatistics NtDxgkIsFeatureEnabled NtDxgkNotifyWorkSubmission
        NtDxgkPinResources NtDxgkResetTrackedWorkload NtDxgkResetTrackedWorkloadStatistics
        NtDxgkSubmitPresentBltToHwQueue NtDxgkSubmitPresentToHwQueue NtDxgkUnpinResources
        NtDxgkUpdateTrackedWorkload NtGdiDdDDIAbandonSwapChain NtGdiDdDDIAcquireKeyedMutex
        NtGdiDdDDIAcquireKeyedMutex2 NtGdiDdDDIAcquireSwapChain NtGdiDdDDIAddSurfaceToSwapChain
        NtGdiDdDDICacheHybridQueryValue NtGdiDdDDICheckExclusiveOwnership NtGdiDdDDICheckMonitorPowerState
        NtGdiDdDDICheckMultiPlaneOverlaySupport NtGdiDdDDICheckMultiPlaneOverlaySupport2
        NtGdiDdDDICheckMultiPlaneOverlaySupport3 NtGdiDdDDICheckOcclusion
        NtGdiDdDDICheckVidPnExclusiveOwnership NtGdiDdDDICloseAdapter NtGdiDdDDICreateAllocation
        NtGdiDdDDICreateAllocation2 NtGdiDdDDICreateContext NtGdiDdDDICreateContextVirtual
        NtGdiDdDDICreateDCFromMemory NtGdiDdDDICreateDevice NtGdiDdDDICreateHwContext NtGdiDdDDICreateHwQueue
        NtGdiDdDDICreateOverlay NtGdiDdDDICreatePagingQueue NtGdiDdDDICreateProtectedSession
        NtGdiDdDDICreateSwapChain NtGdiDdDDICreateSynchronizationObject NtGdiDdDDICreateSynchronizationObject2
        NtGdiDdDDIDDisplayEnum NtGdiDdDDIDestroyAllocation NtGdiDdDDIDestroyAllocation2
        NtGdiDdDDIDestroyContext NtGdiDdDDIDestroyDCFromMemory NtGdiDdDDIDestroyDevice
        NtGdiDdDDIDestroyHwContext NtGdiDdDDIDestroyHwQueue NtGdiDdDDIDestroyKeyedMutex
        NtGdiDdDDIDestroyOverlay NtGdiDdDDIDestroyPagingQueue NtGdiDdDDIDestroyProtectedSession
        NtGdiDdDDIDestroySynchronizationObject NtGdiDdDDIEnumAdapters NtGdiDdDDIEnumAdapters2 NtGdiDdDDIEscape
        NtGdiDdDDIEvict NtGdiDdDDIFlipOverlay NtGdiDdDDIFlushHeapTransitions NtGdiDdDDIFreeGpuVirtualAddress
        NtGdiDdDDIGetAllocationPriority NtGdiDdDDIGetCachedHybridQueryValue
        NtGdiDdDDIGetContextInProcessSchedulingPriority NtGdiDdDDIGetContextSchedulingPriority
        NtGdiDdDDIGetDeviceState NtGdiDdDDIGetDisplayModeList NtGdiDdDDIGetMultiPlaneOverlayCaps
        NtGdiDdDDIGetMultisampleMethodList NtGdiDdDDIGetOverlayState NtGdiDdDDIGetPostCompositionCaps
        NtGdiDdDDIGetPresentQueueEvent NtGdiDdDDIGetRuntimeData NtGdiDdDDIGetScanLine
        NtGdiDdDDIGetSetSwapChainMetadata NtGdiDdDDIGetSwapChainSurfacePhysicalAddress
        NtGdiDdDDIGetYieldPercentage NtGdiDdDDIInvalidateCache NtGdiDdDDILock NtGdiDdDDILock2
        NtGdiDdDDIMakeResident NtGdiDdDDIMapGpuVirtualAddress NtGdiDdDDIMarkDeviceAsError
        NtGdiDdDDIOfferAllocations NtGdiDdDDIOpenAdapterFromHdc NtGdiDdDDIOpenAdapterFromLuid
        NtGdiDdDDIPinDirectFlipResources NtGdiDdDDIPresent NtGdiDdDDIPresentMultiPlaneOverlay
        NtGdiDdDDIPresentMultiPlaneOverlay2 NtGdiDdDDIPresentMultiPlaneOverlay3 NtGdiDdDDIPresentRedirected
        NtGdiDdDDIQueryAdapterInfo NtGdiDdDDIQueryAllocationResidency NtGdiDdDDIQueryClockCalibration
        NtGdiDdDDIQueryFSEBlock NtGdiDdDDIQueryProtectedSessionStatus NtGdiDdDDIQueryVidPnExclusiveOwnership
        NtGdiDdDDIReclaimAllocations NtGdiDdDDIReclaimAllocations2 NtGdiDdDDIReleaseKeyedMutex
        NtGdiDdDDIReleaseKeyedMutex2 NtGdiDdDDIReleaseSwapChain NtGdiDdDDIRemoveSurfaceFromSwapChain
        NtGdiDdDDIRender NtGdiDdDDIReserveGpuVirtualAddress NtGdiDdDDISetAllocationPriority
        NtGdiDdDDISetContextInProcessSchedulingPriority NtGdiDdDDISetContextSchedulingPriority
        NtGdiDdDDISetDeviceLostSupport NtGdiDdDDISetQueuedLimit NtGdiDdDDISetSyncRefreshCountWaitTarget
        NtGdiDdDDISignalSynchronizationObject NtGdiDdDDISignalSynchronizationObjectFromCpu
        NtGdiDdDDISignalSynchronizationObjectFromGpu NtGdiDdDDISignalSynchronizationObjectFromGpu2
        NtGdiDdDDISubmitCommand NtGdiDdDDISubmitCommandToHwQueue NtGdiDdDDISubmitSignalSyncObjectsToHwQueue
        NtGdiDdDDISubmitWaitForSyncObjectsToHwQueue NtGdiDdDDIUnOrderedPresentSwapChain NtGdiDdDDIUnlock
        NtGdiDdDDIUnlock2 NtGdiDdDDIUnpinDirectFlipResources NtGdiDdDDIUpdateAllocationProperty
        NtGdiDdDDIUpdateGpuVirtualAddress NtGdiDdDDIUpdateOverlay NtGdiDdDDIWaitForIdle
        NtGdiDdDDIWaitForSynchronizationObject NtGdiDdDDIWaitForSynchronizationObjectFromCpu
        NtGdiDdDDIWaitForSynchronizationObjectFromGpu NtGdiDdDDIWaitForVerticalBlankEvent
        NtGdiDdDDIWaitForVerticalBlankEvent2
    }
    Graphics Other SameVm Open "shares surfaces, sections or input with another process" {
        NtCreateCompositionSurfaceHandle NtDCompositionAddCrossDeviceVisualChild NtDCompositionConnectPipe
        NtDCompositionCreateAndBindSharedSection NtDCompositionCreateConnection
        NtDCompositionCreateConnectionContext NtDCompositionCreateSharedResourceHandle
        NtDCompositionCreateSharedVisualHandle NtDCompositionDestroyConnection
        NtDCompositionDestroyConnectionContext NtDCompositionDuplicateHandleToProcess
        NtDCompositionGetConnectionBatch NtDCompositionGetConnectionContextBatch
        NtDCompositionOpenSharedResource NtDCompositionOpenSharedResourceHandle
        NtDCompositionRemoveCrossDeviceVisualChild NtDuplicateCompositionInputSink NtFlipObjectOpen
        NtOpenCompositionSurfaceDirtyRegion NtOpenCompositionSurfaceRealizationInfo
        NtOpenCompositionSurfaceSectionInfo NtOpenCompositionSurfaceSwapChainHandleInfo
        NtQueryCompositionInputSink NtQueryCompositionInputSinkLuid NtQueryCompositionInputSinkViewId
    }
    Graphics Other Denied Open "for the compositor and the system's own processes; by its name it is nothing that a program calls" {
        NtCompositionInputThread NtCompositionSetDropTarget NtCompositorNotifyExitWindows
        NtCompositorNotifyForegroundChanged NtCompositorUpdateLastInputTime NtConfigureInputSpace
        NtDCompositionAttachMouseWheelToHwnd NtDCompositionBeginFrame NtDCompositionBoostCompositorClock
        NtDCompositionCapturePointer NtDCompositionConfirmFrame NtDCompositionCreateDwmChannel
        NtDCompositionDiscardFrame NtDCompositionDuplicateSwapchainHandleToDwm NtDCompositionDwmSyncFlush
        NtDCompositionEnableDDASupport NtDCompositionEnableMMCSS NtDCompositionGetChannels
        NtDCompositionGetFrameId NtDCompositionGetFrameIdFromBatchId NtDCompositionGetFrameLegacyTokens
        NtDCompositionGetFrameStatistics NtDCompositionGetFrameSurfaceUpdates
        NtDCompositionGetMaterialProperty NtDCompositionNotifySuperWetInkWork
        NtDCompositionReferenceSharedResourceOnDwmChannel NtDCompositionRegisterThumbnailVisual
        NtDCompositionRegisterVirtualDesktopVisual NtDCompositionRetireFrame NtDCompositionSendDwmLpcMessage
        NtDCompositionSetBlurredWallpaperSurface NtDCompositionSetChildRootVisual
        NtDCompositionSetDebugCounter NtDCompositionSetMaterialProperty NtDCompositionSetVisualInputSink
        NtDCompositionSubmitDWMBatch NtDCompositionSuspendAnimations
        NtDCompositionTelemetryAnimationScenarioBegin NtDCompositionTelemetryAnimationScenarioReference
        NtDCompositionTelemetryAnimationScenarioUnreference NtDCompositionTelemetrySetApplicationId
        NtDCompositionTelemetryTouchInteractionBegin NtDCompositionTelemetryTouchInteractionEnd
        NtDCompositionTelemetryTouchInteractionUpdate NtDCompositionUpdatePointerCapture
        NtDCompositionValidateAndReferenceSystemVisualForHwndTarget NtDWMBindCursorToOutputConfig
        NtDWMCommitInputSystemOutputConfig NtDWMSetCursorOrientation NtDWMSetInputSystemOutputConfig
        NtEnableOneCoreTransformMode NtGdiSfmGetNotificationTokens NtHWCursorUpdatePointer
        NtInputSpaceRegionFromPoint NtIsOneCoreTransformMode NtMapVisualRelativePoints NtSetCursorInputSpace
        NtSetPointerDeviceInputSpace NtSetShellCursorState NtTokenManagerConfirmOutstandingAnalogToken
        NtTokenManagerCreateCompositionTokenHandle NtTokenManagerCreateFlipObjectReturnTokenHandle
        NtTokenManagerCreateFlipObjectTokenHandle NtTokenManagerDeleteOutstandingDirectFlipTokens
        NtTokenManagerGetAnalogExclusiveSurfaceUpdates NtTokenManagerGetAnalogExclusiveTokenEvent
        NtTokenManagerGetOutOfFrameDirectFlipSurfaceUpdates NtTokenManagerOpenEvent NtTokenManagerOpenSection
        NtTokenManagerOpenSectionAndEvents NtTokenManagerThread NtUpdateInputSinkTransforms
        NtUserCompositionInputSinkLuidFromPoint NtUserCompositionInputSinkViewInstanceIdFromPoint
        NtUserDwmGetRemoteSessionOcclusionEvent NtUserDwmGetRemoteSessionOcclusionState
        NtUserDwmKernelShutdown NtUserDwmKernelStartup NtUserDwmLockScreenUpdates NtUserDwmStartRedirection
        NtUserDwmStopRedirection NtUserDwmValidateWindow NtUserDwmWindowNotificationClientRegistered
        NtUserDwmWindowNotificationsEnabled NtUserReleaseDwmHitTestWaiters NtUserSetDesktopVisualInputSink
        NtUserSfmDestroyLogicalSurfaceBinding NtUserSfmDxBindSwapChain NtUserSfmDxGetSwapChainStats
        NtUserSfmDxOpenSwapChain NtUserSfmDxQuerySwapChainBindingStatus NtUserSfmDxReleaseSwapChain
        NtUserSfmDxReportPendingBindingsToDwm NtUserSfmDxSetSwapChainBindingStatus
        NtUserSfmDxSetSwapChainStats NtUserSfmGetLogicalSurfaceBinding NtUserShowStartGlass
        NtUserSignalRedirectionStartComplete NtUserWaitForRedirectionStartComplete
    }
    Graphics Other ByHandle Settled "acts on a surface or channel that was decided when it was opened" {
        NtBindCompositionSurface NtCloseCompositionInputSink NtConfirmCompositionSurfaceIndependentFlipEntry
        NtCreateCompositionInputSink NtCreateImplicitCompositionInputSink NtDCompositionAddVisualChild
        NtDCompositionCommitChannel NtDCompositionCommitSynchronizationObject
        NtDCompositionCreateBufferCollection NtDCompositionCreateChannel NtDCompositionCreateResource
        NtDCompositionCreateSynchronizationObject NtDCompositionCurrentBatchId NtDCompositionDestroyChannel
        NtDCompositionGetAnimationTime NtDCompositionGetBatchId NtDCompositionGetDeletedResources
        NtDCompositionGetStatistics NtDCompositionGetTargetStatistics NtDCompositionProcessChannelBatchBuffer
        NtDCompositionReleaseAllResources NtDCompositionReleaseResource NtDCompositionRemoveVisualChild
        NtDCompositionReplaceVisualChildren NtDCompositionSetChannelCallbackId
        NtDCompositionSetChannelCommitCompletionEvent NtDCompositionSetChannelConnectionId
        NtDCompositionSetResourceAnimationProperty NtDCompositionSetResourceBufferProperty
        NtDCompositionSetResourceCallbackId NtDCompositionSetResourceDeletedNotificationTag
        NtDCompositionSetResourceFloatProperty NtDCompositionSetResourceHandleProperty
        NtDCompositionSetResourceIntegerProperty NtDCompositionSetResourceReferenceArrayProperty
        NtDCompositionSetResourceReferenceProperty NtDCompositionSignalGpuFence NtDCompositionSyncWait
        NtDCompositionSynchronize NtDCompositionWaitForChannel NtDCompositionWaitForCompositorClock
        NtFlipObjectAddContent NtFlipObjectAddPoolBuffer NtFlipObjectConsumerAcquirePresent
        NtFlipObjectConsumerAdjustUsageReference NtFlipObjectConsumerBeginProcessPresent
        NtFlipObjectConsumerEndProcessPresent NtFlipObjectConsumerPostMessage
        NtFlipObjectConsumerQueryBufferInfo NtFlipObjectCreate NtFlipObjectDisconnectEndpoint
        NtFlipObjectEnablePresentStatisticsType NtFlipObjectPresentCancel
        NtFlipObjectQueryBufferAvailableEvent NtFlipObjectQueryEndpointConnected NtFlipObjectQueryLostEvent
        NtFlipObjectQueryNextMessageToProducer NtFlipObjectReadNextMessageToProducer NtFlipObjectRemoveContent
        NtFlipObjectRemovePoolBuffer NtFlipObjectSetContent NtFlipObjectSetMaximumBackchannelQueueDepth
        NtGdiHLSurfGetInformation NtGdiHLSurfSetInformation NtNotifyPresentToCompositionSurface
        NtQueryCompositionInputIsImplicit NtQueryCompositionInputQueueAndTransform
        NtQueryCompositionSurfaceBinding NtQueryCompositionSurfaceFrameRate
        NtQueryCompositionSurfaceHDRMetaData NtQueryCompositionSurfaceRenderingRealization
        NtQueryCompositionSurfaceStatistics NtSetCompositionSurfaceAnalogExclusive
        NtSetCompositionSurfaceBufferCompositionMode
        NtSetCompositionSurfaceBufferCompositionModeAndOrientation NtSetCompositionSurfaceBufferUsage
        NtSetCompositionSurfaceDirectFlipState NtSetCompositionSurfaceHDRMetaData
        NtSetCompositionSurfaceIndependentFlipInfo NtSetCompositionSurfaceOutOfFrameDirectFlipNotification
        NtSetCompositionSurfaceStatistics NtUnBindCompositionSurface NtUserCreateDCompositionHwndTarget
        NtUserDestroyDCompositionHwndTarget NtUserGetResizeDCompositionSynchronizationObject
        NtUserGetWindowCompositionInfo NtValidateCompositionSurfaceHandle
    }
};
