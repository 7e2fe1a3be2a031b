//! Windows: messages, handles, hooks, DDE, the handles of menus and cursors.

use crate::call::{Group, groups};

/// Sorted by kind.
pub(in crate::calls) const GROUPS: &[Group] = groups! {
    Windows Name SameVm Open "finds windows of the whole desktop, by class, title, place or in order" {
        NtUserBuildHimcList NtUserBuildHwndList NtUserBuildPropList NtUserFindWindowEx NtUserGetAltTabInfo
        NtUserGetModernAppWindow NtUserGetTopLevelWindow NtUserGhostWindowFromHungWindow
        NtUserHungWindowFromGhostWindow NtUserMapPointsByVisualIdentifier NtUserQueryWindow
        NtUserWindowFromPhysicalPoint NtUserWindowFromPoint
    }
    Windows Name SameVm Open "names the window's class, and a parent or owner that may be of another program" {
        NtUserCreateBaseWindow NtUserCreateWindowEx NtUserCreateWindowGroup
    }
    Windows Name SameVm Open "sends to a window or thread by its number, or to all; the NtUserCall… calls carry dozens of small ones, numbered otherwise in each version" {
        NtUserCallHwnd NtUserCallHwndLock NtUserCallHwndLockSafe NtUserCallHwndOpt NtUserCallHwndParam
        NtUserCallHwndParamLock NtUserCallHwndParamLockSafe NtUserCallHwndSafe NtUserCallNoParam
        NtUserCallOneParam NtUserCallTwoParam NtUserChangeWindowMessageFilter
        NtUserChangeWindowMessageFilterEx NtUserGetSendMessageReceiver NtUserIsQueueAttached
        NtUserKillSystemTimer NtUserMessageCall NtUserPostMessage NtUserPostThreadMessage
        NtUserQuerySendMessage NtUserSendEventMessage NtUserSetSystemTimer NtUserSetWaitForQueueAttach
        NtUserThreadMessageQueueAttached
    }
    Windows Name SameVm Open "acts on a window by its number, which is one for the whole desktop" {
        NtUserAddVisualIdentifier NtUserAlterWindowStyle NtUserApplyWindowAction NtUserArrangeIconicWindows
        NtUserAssociateInputContext NtUserBeginLayoutUpdate NtUserBeginPaint NtUserCheckImeShowStatusInThread
        NtUserChildWindowFromPointEx NtUserClearWindowState NtUserConfirmResizeCommit NtUserDefSetText
        NtUserDeferWindowDpiChanges NtUserDeleteWindowGroup NtUserDestroyWindow NtUserDisableImmersiveOwner
        NtUserDragDetect NtUserDrawAnimatedRects NtUserDrawCaption NtUserEnableChildWindowDpiMessage
        NtUserEnableMouseInPointerForWindow NtUserEnableNonClientDpiScaling
        NtUserEnableResizeLayoutSynchronization NtUserEnableScrollBar NtUserEnableWindow
        NtUserEnableWindowGDIScaledDpiMessage NtUserEnableWindowGroupPolicy
        NtUserEnableWindowResizeOptimization NtUserEnableWindowShellWindowManagementBehavior NtUserEndPaint
        NtUserEnterMoveSizeLoop NtUserExcludeUpdateRgn NtUserFillWindow NtUserFlashWindowEx
        NtUserForceWindowToDpiForTest NtUserFrostCrashedWindow NtUserGetAncestor NtUserGetClassName
        NtUserGetComboBoxInfo NtUserGetCurrentDpiInfoForWindow NtUserGetDesktopVisualTransform
        NtUserGetInternalWindowPos NtUserGetLayeredWindowAttributes NtUserGetListBoxInfo
        NtUserGetOwnerTransformedMonitorRect NtUserGetProp NtUserGetProp2 NtUserGetScrollBarInfo
        NtUserGetSharedWindowData NtUserGetSuppressedWindowActions NtUserGetTitleBarInfo NtUserGetUpdateRect
        NtUserGetUpdateRgn NtUserGetWindowBand NtUserGetWindowCompositionAttribute
        NtUserGetWindowContextHelpId NtUserGetWindowDisplayAffinity NtUserGetWindowFeedbackSetting
        NtUserGetWindowGroupId NtUserGetWindowMinimizeRect NtUserGetWindowPlacement NtUserGetWindowRgnEx
        NtUserGetWindowTrackInfoAsync NtUserHideCaret NtUserInheritWindowMonitor NtUserInternalGetWindowIcon
        NtUserInternalGetWindowText NtUserInvalidateRect NtUserInvalidateRgn
        NtUserIsChildWindowDpiMessageEnabled NtUserIsNonClientDpiScalingEnabled
        NtUserIsResizeLayoutSynchronizationEnabled NtUserIsTopLevelWindow NtUserIsTouchWindow
        NtUserIsWindowBroadcastingDpiToChildren NtUserIsWindowDisplayChangeSuppressed
        NtUserIsWindowGDIScaledDpiMessageEnabled NtUserKillTimer NtUserLayoutCompleted NtUserLockWindowUpdate
        NtUserManageGestureHandlerWindow NtUserMarkWindowForRawMouse NtUserMinMaximize
        NtUserModifyWindowTouchCapability NtUserMoveWindow NtUserNotifyOverlayWindow NtUserQueryBSDRWindow
        NtUserRaiseLowerShellWindow NtUserRealChildWindowFromPoint NtUserRedrawFrame NtUserRedrawFrameAndHook
        NtUserRedrawTitle NtUserRedrawWindow NtUserRegisterBSDRWindow NtUserRegisterCloakedNotification
        NtUserRegisterForCustomDockTargets NtUserRegisterGhostWindow NtUserRegisterPointerDeviceNotifications
        NtUserRegisterShellPTPListener NtUserRegisterSiblingFrostWindow NtUserRegisterTouchHitTestingWindow
        NtUserRegisterTouchpadCapableWindow NtUserRemoveProp NtUserRemoveVisualIdentifier
        NtUserRequestMoveSizeOperation NtUserRestoreWindowDpiChanges NtUserSBGetParms NtUserScrollWindowEx
        NtUserSetBridgeWindowChild NtUserSetCancelRotationDelayHintWindow NtUserSetClassLong
        NtUserSetClassLongPtr NtUserSetClassWord NtUserSetCoveredWindowStates
        NtUserSetDialogControlDpiChangeBehavior NtUserSetDialogPointer NtUserSetDpiForWindow
        NtUserSetFullscreenMagnifierOffsetsDWMUpdated NtUserSetGestureConfig NtUserSetImeInfoEx
        NtUserSetImeOwnerWindow NtUserSetInternalWindowPos NtUserSetLayeredWindowAttributes
        NtUserSetMagnificationDesktopMagnifierOffsetsDWMUpdated NtUserSetModernAppWindow NtUserSetParent
        NtUserSetProp NtUserSetProp2 NtUserSetScrollInfo NtUserSetSharedWindowData NtUserSetSystemContentRects
        NtUserSetTimer NtUserSetVisible NtUserSetWindowArrangement NtUserSetWindowBand
        NtUserSetWindowCompositionAttribute NtUserSetWindowCompositionTransition NtUserSetWindowContextHelpId
        NtUserSetWindowDisplayAffinity NtUserSetWindowFNID NtUserSetWindowFeedbackSetting NtUserSetWindowGroup
        NtUserSetWindowLong NtUserSetWindowLongPtr NtUserSetWindowMessageCapability NtUserSetWindowPlacement
        NtUserSetWindowPos NtUserSetWindowRgn NtUserSetWindowRgnEx NtUserSetWindowShowState
        NtUserSetWindowState NtUserSetWindowWord NtUserShellMigrateWindow NtUserShellSetWindowPos
        NtUserShowCaret NtUserShowOwnedPopups NtUserShowScrollBar NtUserShowWindow NtUserShowWindowAsync
        NtUserShutdownBlockReasonCreate NtUserShutdownBlockReasonQuery NtUserShutdownReasonDestroy
        NtUserSuppressWindowActions NtUserSuppressWindowDisplayChange NtUserTrackMouseEvent
        NtUserUpdateClientRect NtUserUpdateDefaultDesktopThumbnail NtUserUpdateLayeredWindow
        NtUserUpdateWindow NtUserUpdateWindowInputSinkHints NtUserUpdateWindowTrackingInfo
        NtUserUpdateWindowTransform NtUserUpdateWindows NtUserValidateRect NtUserValidateRgn
    }
    Hooks Name SameVm Open "puts code or a listener into other programs of the desktop, or tells those that listen" {
        NtUserBroadcastImeShowStatusChange NtUserBroadcastThemeChangeEvent NtUserCallNextHookEx
        NtUserDeregisterShellHookWindow NtUserDoInitMessagePumpHook NtUserDoUninitMessagePumpHook NtUserEvent
        NtUserGetDManipHookInitFunction NtUserLoadUserApiHook NtUserNotifyWinEvent NtUserRegisterDManipHook
        NtUserRegisterShellHookWindow NtUserRegisterUserApiHook NtUserRegisterUserHungAppHandlers
        NtUserRegisterWindowArrangementCallout NtUserSetWinEventHook NtUserSetWindowsHookAW
        NtUserSetWindowsHookEx NtUserUnhookWinEvent NtUserUnhookWindowsHook NtUserUnhookWindowsHookEx
        NtUserUnregisterUserApiHook
    }
    Dde Name SameVm Open "opens a conversation between windows of the desktop, or takes its client's identity" {
        NtUserCsDdeUninitialize NtUserDdeInitialize NtUserImpersonateDdeClientWindow
    }
    DragDrop Name SameVm Open "drags between windows of the desktop" {
        NtUserDragObject NtUserMNDragLeave NtUserMNDragOver
    }
    UserHandles Name SameVm Open "acts on a menu, cursor, icon or accelerator table by its number, which is one for the whole desktop" {
        NtUserCalcMenuBar NtUserCheckMenuItem NtUserDeferWindowPos NtUserDeferWindowPosAndBand
        NtUserDeleteMenu NtUserDestroyAcceleratorTable NtUserDestroyCursor NtUserDestroyInputContext
        NtUserDestroyMenu NtUserDrawIconEx NtUserDrawMenuBar NtUserDrawMenuBarTemp NtUserEnableMenuItem
        NtUserEndDeferWindowPosEx NtUserFindExistingCursorIcon NtUserGetClassIcoCur NtUserGetCursorDims
        NtUserGetCursorFrameInfo NtUserGetIconInfo NtUserGetIconSize NtUserGetMenuBarInfo NtUserGetMenuIndex
        NtUserGetMenuItemRect NtUserGetSysMenuOffset NtUserGetSystemMenu NtUserHiliteMenuItem
        NtUserLoadCursorsAndIcons NtUserMenuItemFromPoint NtUserPaintMenuBar NtUserQueryInputContext
        NtUserRemoveMenu NtUserSetCursorIconData NtUserSetCursorIconDataEx NtUserSetDialogSystemMenu
        NtUserSetMenu NtUserSetMenuContextHelpId NtUserSetMenuDefaultItem NtUserSetMenuFlagRtoL
        NtUserSetSysMenu NtUserSetSystemMenu NtUserThunkedMenuInfo NtUserThunkedMenuItemInfo
        NtUserTrackPopupMenuEx NtUserTranslateAccelerator NtUserUpdateInputContext
    }
};
