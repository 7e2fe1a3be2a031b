//! A client of the background transfer service, a COM server in a service of svchost.

use std::ptr::null_mut;

use pinion_test_programs::com::{Object, method, release, shown};
use pinion_test_programs::wide;
use serde_json::{Value, json};
use windows_sys::core::GUID;

use crate::create;

/// `CLSID_BackgroundCopyManager`, `IID_IBackgroundCopyManager` (bits.h).
const MANAGER: GUID = GUID::from_u128(0x4991_d34b_80a1_4291_83b6_3328_366b_9097);
const I_MANAGER: GUID = GUID::from_u128(0x5ce3_4c0d_0dc9_4c1f_897c_daa1_b78c_ee7c);

/// Places of methods of IBackgroundCopyManager and IEnumBackgroundCopyJobs.
const CREATE_JOB: usize = 3;
const ENUM_JOBS: usize = 5;
const GET_COUNT: usize = 7;

/// Makes a job of this name; how many there are then.
pub fn job(name: &str) -> Value {
    type Create = unsafe extern "system" fn(Object, *const u16, i32, *mut GUID, *mut Object) -> i32;
    type Enumerate = unsafe extern "system" fn(Object, u32, *mut Object) -> i32;
    type Count = unsafe extern "system" fn(Object, *mut u32) -> i32;
    let (result, manager) = create(&MANAGER, &I_MANAGER);
    if result < 0 {
        return json!({ "manager": shown(result) });
    }
    let (mut id, mut job, mut all, mut count) = (GUID::from_u128(0), null_mut(), null_mut(), 0);
    // SAFETY: live objects, their own methods, a zero-terminated name, locals.
    unsafe {
        let made = method::<Create>(manager, CREATE_JOB)(
            manager,
            wide(name).as_ptr(),
            0,
            &raw mut id,
            &raw mut job,
        );
        let listed = method::<Enumerate>(manager, ENUM_JOBS)(manager, 0, &raw mut all);
        let counted = if listed < 0 {
            listed
        } else {
            method::<Count>(all, GET_COUNT)(all, &raw mut count)
        };
        release(all);
        release(job);
        release(manager);
        json!({ "made": shown(made), "counted": shown(counted), "count": count })
    }
}
