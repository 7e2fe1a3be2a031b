//! Windows: messages, handles, hooks, DDE, the handles of menus and cursors.

use crate::call::{Group, groups};

/// Sorted by kind.
pub(in crate::calls) const GROUPS: &[Group] = groups! {
    Windows Name SameVm Open "finds windows of the whole desktop, by class, title, place or in order" {
        NtUserGetAltTabInfo NtUserGetModernAppWindow NtUserGetTopLevelWindow NtUserGhostWindowFromHungWindow
        NtUserHungWindowFromGhostWindow NtUserMapPointsByVisualIdentifier
    }
    Windows Name SameVm Hooked "the window, thread or process that it names must be of a member" {
        NtUserBuildHimcList NtUserBuildHwndList NtUserBuildPropList NtUserFindWindowEx NtUserQueryWindow
    }
    Windows Name SameVm Hooked "finds a member's window or none" {
        NtUserWindowFromPhysicalPoint NtUserWindowFromPoint
    }
    Windows Name SameVm Open "names the window's class, and a parent or owner that may be of another program" {
        NtUserCreateBaseWindow NtUserCreateWindowGroup
    }
    Windows Name SameVm Hooked "the window, thread or process that it names must be of a member" {
        NtUserCreateWindowEx
    }
    Windows Name SameVm Open "sends to a window or thread by its number, or to all; the NtUserCall… calls carry dozens of small ones, numbered otherwise in each version" {
        NtUserCallOneParam NtUserCallTwoParam NtUserChangeWindowMessageFilter
        NtUserChangeWindowMessageFilterEx NtUserGetSendMessageReceiver NtUserIsQueueAttached
        NtUserKillSystemTimer NtUserQuerySendMessage NtUserSendEventMessage NtUserSetWaitForQueueAttach
        NtUserThreadMessageQueueAttached
    }
    Windows Name SameVm Hooked "the window, thread or process that it names must be of a member" {
        NtUserMessageCall NtUserPostMessage NtUserPostThreadMessage NtUserSetSystemTimer
    }
    Windows Name SameVm Partly "its window must be of a member; some codes carry a second window, which is not asked for" {
        NtUserCallHwnd NtUserCallHwndLock NtUserCallHwndLockSafe NtUserCallHwndOpt NtUserCallHwndParam
        NtUserCallHwndParamLock NtUserCallHwndParamLockSafe NtUserCallHwndSafe
    }
    Windows Name SameVm Hooked "sends to a window or thread by its number, or to all; the NtUserCall… calls carry dozens of small ones, numbered otherwise in each version" {
        NtUserCallNoParam
    }
    Windows Name SameVm Open "acts on a window by its number, which is one for the whole desktop" {
        NtUserAddVisualIdentifier NtUserAlterWindowStyle NtUserApplyWindowAction NtUserArrangeIconicWindows
        NtUserBeginLayoutUpdate NtUserCheckImeShowStatusInThread NtUserClearWindowState
        NtUserConfirmResizeCommit NtUserDefSetText NtUserDeferWindowDpiChanges NtUserDeleteWindowGroup
        NtUserDisableImmersiveOwner NtUserDrawAnimatedRects NtUserDrawCaption
        NtUserEnableChildWindowDpiMessage NtUserEnableMouseInPointerForWindow
        NtUserEnableNonClientDpiScaling NtUserEnableResizeLayoutSynchronization
        NtUserEnableWindowGDIScaledDpiMessage NtUserEnableWindowGroupPolicy
        NtUserEnableWindowResizeOptimization NtUserEnableWindowShellWindowManagementBehavior
        NtUserEnterMoveSizeLoop NtUserFillWindow NtUserForceWindowToDpiForTest NtUserFrostCrashedWindow
        NtUserGetComboBoxInfo NtUserGetCurrentDpiInfoForWindow NtUserGetDesktopVisualTransform
        NtUserGetListBoxInfo NtUserGetOwnerTransformedMonitorRect NtUserGetSharedWindowData
        NtUserGetSuppressedWindowActions NtUserGetWindowCompositionAttribute NtUserGetWindowFeedbackSetting
        NtUserGetWindowGroupId NtUserGetWindowMinimizeRect NtUserGetWindowTrackInfoAsync
        NtUserInheritWindowMonitor NtUserIsChildWindowDpiMessageEnabled NtUserIsNonClientDpiScalingEnabled
        NtUserIsResizeLayoutSynchronizationEnabled NtUserIsTopLevelWindow NtUserIsTouchWindow
        NtUserIsWindowBroadcastingDpiToChildren NtUserIsWindowDisplayChangeSuppressed
        NtUserIsWindowGDIScaledDpiMessageEnabled NtUserLayoutCompleted NtUserManageGestureHandlerWindow
        NtUserMarkWindowForRawMouse NtUserMinMaximize NtUserModifyWindowTouchCapability
        NtUserNotifyOverlayWindow NtUserQueryBSDRWindow NtUserRaiseLowerShellWindow NtUserRedrawFrame
        NtUserRedrawFrameAndHook NtUserRedrawTitle NtUserRegisterBSDRWindow
        NtUserRegisterCloakedNotification NtUserRegisterForCustomDockTargets NtUserRegisterGhostWindow
        NtUserRegisterPointerDeviceNotifications NtUserRegisterShellPTPListener
        NtUserRegisterSiblingFrostWindow NtUserRegisterTouchHitTestingWindow
        NtUserRegisterTouchpadCapableWindow NtUserRemoveVisualIdentifier NtUserRequestMoveSizeOperation
        NtUserRestoreWindowDpiChanges NtUserSBGetParms NtUserSetBridgeWindowChild
        NtUserSetCancelRotationDelayHintWindow NtUserSetCoveredWindowStates
        NtUserSetDialogControlDpiChangeBehavior NtUserSetDialogPointer NtUserSetDpiForWindow
        NtUserSetFullscreenMagnifierOffsetsDWMUpdated NtUserSetGestureConfig NtUserSetImeInfoEx
        NtUserSetImeOwnerWindow NtUserSetMagnificationDesktopMagnifierOffsetsDWMUpdated
        NtUserSetModernAppWindow NtUserSetSharedWindowData NtUserSetSystemContentRects NtUserSetVisible
        NtUserSetWindowArrangement NtUserSetWindowBand NtUserSetWindowCompositionAttribute
        NtUserSetWindowCompositionTransition NtUserSetWindowContextHelpId NtUserSetWindowDisplayAffinity
        NtUserSetWindowFNID NtUserSetWindowFeedbackSetting NtUserSetWindowGroup
        NtUserSetWindowMessageCapability NtUserSetWindowRgnEx NtUserSetWindowShowState NtUserSetWindowState
        NtUserShellMigrateWindow NtUserShellSetWindowPos NtUserShowOwnedPopups
        NtUserShutdownBlockReasonCreate NtUserShutdownBlockReasonQuery NtUserShutdownReasonDestroy
        NtUserSuppressWindowActions NtUserSuppressWindowDisplayChange NtUserUpdateClientRect
        NtUserUpdateDefaultDesktopThumbnail NtUserUpdateWindow NtUserUpdateWindowInputSinkHints
        NtUserUpdateWindowTrackingInfo NtUserUpdateWindowTransform NtUserUpdateWindows
    }
    Windows Name SameVm Hooked "the window, thread or process that it names must be of a member" {
        NtUserAssociateInputContext NtUserBeginPaint NtUserChildWindowFromPointEx NtUserDestroyWindow
        NtUserDragDetect NtUserEnableScrollBar NtUserEnableWindow NtUserEndPaint NtUserExcludeUpdateRgn
        NtUserFlashWindowEx NtUserGetAncestor NtUserGetClassName NtUserGetInternalWindowPos
        NtUserGetLayeredWindowAttributes NtUserGetProp NtUserGetProp2 NtUserGetScrollBarInfo
        NtUserGetTitleBarInfo NtUserGetUpdateRect NtUserGetUpdateRgn NtUserGetWindowBand
        NtUserGetWindowContextHelpId NtUserGetWindowDisplayAffinity NtUserGetWindowPlacement
        NtUserGetWindowRgnEx NtUserHideCaret NtUserInternalGetWindowIcon NtUserInternalGetWindowText
        NtUserInvalidateRect NtUserInvalidateRgn NtUserKillTimer NtUserLockWindowUpdate NtUserMoveWindow
        NtUserRealChildWindowFromPoint NtUserRedrawWindow NtUserRemoveProp NtUserScrollWindowEx
        NtUserSetClassLong NtUserSetClassLongPtr NtUserSetClassWord NtUserSetInternalWindowPos
        NtUserSetLayeredWindowAttributes NtUserSetParent NtUserSetProp NtUserSetProp2 NtUserSetScrollInfo
        NtUserSetTimer NtUserSetWindowLong NtUserSetWindowLongPtr NtUserSetWindowPlacement
        NtUserSetWindowPos NtUserSetWindowRgn NtUserSetWindowWord NtUserShowCaret NtUserShowScrollBar
        NtUserShowWindow NtUserShowWindowAsync NtUserTrackMouseEvent NtUserUpdateLayeredWindow
        NtUserValidateRect NtUserValidateRgn
    }
    Hooks Name SameVm Open "puts code or a listener into other programs of the desktop, or tells those that listen" {
        NtUserBroadcastImeShowStatusChange NtUserBroadcastThemeChangeEvent NtUserCallNextHookEx
        NtUserDeregisterShellHookWindow NtUserDoInitMessagePumpHook NtUserDoUninitMessagePumpHook
        NtUserEvent NtUserGetDManipHookInitFunction NtUserLoadUserApiHook NtUserRegisterDManipHook
        NtUserRegisterUserApiHook NtUserRegisterUserHungAppHandlers
        NtUserRegisterWindowArrangementCallout NtUserSetWindowsHookAW NtUserUnhookWinEvent
        NtUserUnhookWindowsHook NtUserUnhookWindowsHookEx NtUserUnregisterUserApiHook
    }
    Hooks Name Denied Hooked "hears of all windows of the session" {
        NtUserRegisterShellHookWindow
    }
    Hooks Name SameVm Hooked "the window, thread or process that it names must be of a member" {
        NtUserNotifyWinEvent NtUserSetWinEventHook NtUserSetWindowsHookEx
    }
    Dde Name SameVm Open "opens a conversation between windows of the desktop, or takes its client's identity" {
        NtUserCsDdeUninitialize NtUserDdeInitialize NtUserImpersonateDdeClientWindow
    }
    DragDrop Name SameVm Open "drags between windows of the desktop" {
        NtUserMNDragLeave NtUserMNDragOver
    }
    DragDrop Name SameVm Hooked "the window, thread or process that it names must be of a member" {
        NtUserDragObject
    }
    UserHandles Name SameVm Open "acts on a menu, cursor, icon or accelerator table by its number, which is one for the whole desktop" {
        NtUserCalcMenuBar NtUserCheckMenuItem NtUserDeferWindowPos NtUserDeleteMenu
        NtUserDestroyAcceleratorTable NtUserDestroyCursor NtUserDestroyInputContext NtUserDestroyMenu
        NtUserDrawIconEx NtUserDrawMenuBar NtUserEnableMenuItem NtUserEndDeferWindowPosEx
        NtUserFindExistingCursorIcon NtUserGetClassIcoCur NtUserGetCursorDims NtUserGetCursorFrameInfo
        NtUserGetIconInfo NtUserGetIconSize NtUserGetMenuIndex NtUserGetSysMenuOffset
        NtUserLoadCursorsAndIcons NtUserPaintMenuBar NtUserQueryInputContext NtUserRemoveMenu
        NtUserSetCursorIconData NtUserSetCursorIconDataEx NtUserSetDialogSystemMenu
        NtUserSetMenuContextHelpId NtUserSetMenuDefaultItem NtUserSetMenuFlagRtoL NtUserSetSysMenu
        NtUserThunkedMenuInfo NtUserThunkedMenuItemInfo NtUserUpdateInputContext
    }
    UserHandles Name SameVm Hooked "the window, thread or process that it names must be of a member" {
        NtUserDeferWindowPosAndBand NtUserDrawMenuBarTemp NtUserGetMenuBarInfo NtUserGetMenuItemRect
        NtUserGetSystemMenu NtUserHiliteMenuItem NtUserMenuItemFromPoint NtUserSetMenu NtUserSetSystemMenu
        NtUserTrackPopupMenuEx NtUserTranslateAccelerator
    }
};
