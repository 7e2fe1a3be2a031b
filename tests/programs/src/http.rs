//! The HTTP Server API as the test programs use it: a queue with one URL, in
//! either version, the answering of what comes to it, and http.sys's configuration.

use core::ptr::{null, null_mut};
use windows_sys::Win32::Foundation::{ERROR_MORE_DATA, HANDLE};
use windows_sys::Win32::Networking::HttpServer::{
    HTTP_BINDING_INFO, HTTP_DATA_CHUNK, HTTP_INITIALIZE_SERVER, HTTP_PROPERTY_FLAGS,
    HTTP_REQUEST_V2, HTTP_RESPONSE_V2, HTTP_SERVICE_CONFIG_IP_LISTEN_PARAM,
    HTTP_SERVICE_CONFIG_URLACL_QUERY, HTTP_SERVICE_CONFIG_URLACL_SET, HTTPAPI_VERSION, HttpAddUrl,
    HttpAddUrlToUrlGroup, HttpCloseRequestQueue, HttpCreateHttpHandle, HttpCreateRequestQueue,
    HttpCreateServerSession, HttpCreateUrlGroup, HttpInitialize, HttpQueryServiceConfiguration,
    HttpReceiveHttpRequest, HttpRemoveUrl, HttpRemoveUrlFromUrlGroup, HttpSendHttpResponse,
    HttpServerBindingProperty, HttpServiceConfigIPListenList, HttpServiceConfigQueryExact,
    HttpServiceConfigUrlAclInfo, HttpSetServiceConfiguration, HttpSetUrlGroupProperty,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;

/// Room for one request in bytes.
const ROOM: usize = 16 * 1024;

/// A call that failed.
#[derive(Debug, Clone, Copy)]
pub struct Failed {
    /// Which call.
    pub step: &'static str,
    /// The Win32 error that it gave.
    pub error: u32,
}

fn done(step: &'static str, error: u32) -> Result<(), Failed> {
    (error == 0).then_some(()).ok_or(Failed { step, error })
}

/// Which version of the API asks.
const fn version(major: u16) -> HTTPAPI_VERSION {
    HTTPAPI_VERSION {
        HttpApiMajorVersion: major,
        HttpApiMinorVersion: 0,
    }
}

/// A request queue, closed with the process.
#[derive(Clone, Copy)]
pub struct Queue(HANDLE);

// SAFETY: the handle is a number that every thread of the process may use.
unsafe impl Send for Queue {}

/// A queue with one URL and how to take the URL away.
pub struct Bound {
    /// The queue.
    pub queue: Queue,
    /// The URL group of version 2.
    group: Option<u64>,
}

/// What was asked for.
pub struct Asked {
    /// The whole URL as the API cooked it.
    pub url: String,
    /// Its path.
    pub path: String,
}

impl Bound {
    /// Registers `prefix` by version 1.
    pub fn version_1(prefix: &str) -> Result<Self, Failed> {
        let (prefix, mut handle) = (crate::wide(prefix), null_mut());
        // SAFETY: the strings end in zeros; the handle is a local.
        unsafe {
            done(
                "initialize",
                HttpInitialize(version(1), HTTP_INITIALIZE_SERVER, null_mut()),
            )?;
            done("queue", HttpCreateHttpHandle(&raw mut handle, 0))?;
            done("url", HttpAddUrl(handle, prefix.as_ptr(), null()))?;
        }
        Ok(Self {
            queue: Queue(handle),
            group: None,
        })
    }

    /// Registers `prefix` by version 2, with a queue of that name that children inherit.
    pub fn version_2(prefix: &str, name: Option<&str>) -> Result<Self, Failed> {
        let (prefix, name) = (crate::wide(prefix), name.map(crate::wide));
        let name = name.as_ref().map_or(null(), |name| name.as_ptr());
        let inherited = SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: null_mut(),
            bInheritHandle: 1,
        };
        let (mut session, mut group, mut handle) = (0, 0, null_mut());
        // SAFETY: the strings end in zeros; all other pointers are to locals.
        unsafe {
            done(
                "initialize",
                HttpInitialize(version(2), HTTP_INITIALIZE_SERVER, null_mut()),
            )?;
            done(
                "session",
                HttpCreateServerSession(version(2), &raw mut session, 0),
            )?;
            done("group", HttpCreateUrlGroup(session, &raw mut group, 0))?;
            let made =
                HttpCreateRequestQueue(version(2), name, &raw const inherited, 0, &raw mut handle);
            done("queue", made)?;
            let binding = HTTP_BINDING_INFO {
                Flags: HTTP_PROPERTY_FLAGS { _bitfield: 1 },
                RequestQueueHandle: handle,
            };
            let bound = HttpSetUrlGroupProperty(
                group,
                HttpServerBindingProperty,
                (&raw const binding).cast(),
                size_of::<HTTP_BINDING_INFO>() as u32,
            );
            done("binding", bound)?;
            done("url", HttpAddUrlToUrlGroup(group, prefix.as_ptr(), 0, 0))?;
        }
        Ok(Self {
            queue: Queue(handle),
            group: Some(group),
        })
    }

    /// Takes the URL away.
    pub fn remove(&self, prefix: &str) -> Result<(), Failed> {
        let prefix = crate::wide(prefix);
        // SAFETY: the string ends in a zero.
        let error = unsafe {
            match self.group {
                Some(group) => HttpRemoveUrlFromUrlGroup(group, prefix.as_ptr(), 0),
                None => HttpRemoveUrl(self.queue.0, prefix.as_ptr()),
            }
        };
        done("remove", error)
    }
}

/// The Win32 errors of a reservation of `prefix`, of the question for it, and of an
/// addition of no address to the list that http.sys listens at.
pub fn configure(prefix: &str) -> [u32; 3] {
    let (mut prefix, mut rights) = (crate::wide(prefix), crate::wide("D:(A;;GX;;;WD)"));
    let mut record = HTTP_SERVICE_CONFIG_URLACL_SET::default();
    record.KeyDesc.pUrlPrefix = prefix.as_mut_ptr();
    record.ParamDesc.pStringSecurityDescriptor = rights.as_mut_ptr();
    let mut asked = HTTP_SERVICE_CONFIG_URLACL_QUERY {
        QueryDesc: HttpServiceConfigQueryExact,
        ..Default::default()
    };
    asked.KeyDesc.pUrlPrefix = prefix.as_mut_ptr();
    let listen = HTTP_SERVICE_CONFIG_IP_LISTEN_PARAM::default();
    let (mut room, mut length) = ([0_u64; 128], 0);
    // SAFETY: the structures and the buffer have the sizes told, and all that they
    // point to outlives the calls.
    unsafe {
        let set = |id, record, size: usize| {
            HttpSetServiceConfiguration(null_mut(), id, record, size as u32, null())
        };
        [
            set(
                HttpServiceConfigUrlAclInfo,
                (&raw const record).cast(),
                size_of_val(&record),
            ),
            HttpQueryServiceConfiguration(
                null_mut(),
                HttpServiceConfigUrlAclInfo,
                (&raw const asked).cast(),
                size_of_val(&asked) as u32,
                room.as_mut_ptr().cast(),
                size_of_val(&room) as u32,
                &raw mut length,
                null_mut(),
            ),
            set(
                HttpServiceConfigIPListenList,
                (&raw const listen).cast(),
                size_of_val(&listen),
            ),
        ]
    }
}

impl Queue {
    /// The queue of an inherited handle.
    #[must_use]
    pub fn inherited(handle: usize) -> Self {
        Self(handle as HANDLE)
    }

    /// The handle's number.
    #[must_use]
    pub fn number(self) -> usize {
        self.0 as usize
    }

    /// Closes the queue.
    pub fn close(self) -> Result<(), Failed> {
        // SAFETY: the handle is this value's.
        done("close", unsafe { HttpCloseRequestQueue(self.0) })
    }

    /// Waits for a request and answers it with what `say` makes of it.
    pub fn answer(self, say: impl FnOnce(&Asked) -> String) -> Result<(), Failed> {
        let mut room = vec![0_u64; ROOM / 8];
        let mut taken = 0;
        // SAFETY: the buffer is aligned, has the size told and outlives the call,
        // which waits.
        let error = unsafe {
            HttpReceiveHttpRequest(
                self.0,
                0,
                0,
                room.as_mut_ptr().cast(),
                ROOM as u32,
                &raw mut taken,
                null_mut(),
            )
        };
        if error == ERROR_MORE_DATA {
            return Err(Failed {
                step: "long",
                error,
            });
        }
        done("receive", error)?;
        // SAFETY: the API has filled the buffer's beginning in.
        let request = unsafe { &*room.as_ptr().cast::<HTTP_REQUEST_V2>() };
        let cooked = &request.Base.CookedUrl;
        // SAFETY: the API gives pointers into the buffer and lengths in bytes.
        let asked = unsafe {
            Asked {
                url: text(cooked.pFullUrl, cooked.FullUrlLength),
                path: text(cooked.pAbsPath, cooked.AbsPathLength),
            }
        };
        self.send(request.Base.RequestId, &say(&asked))
    }

    fn send(self, request: u64, body: &str) -> Result<(), Failed> {
        let mut chunk = HTTP_DATA_CHUNK::default();
        chunk.Anonymous.FromMemory.pBuffer = body.as_ptr().cast_mut().cast();
        chunk.Anonymous.FromMemory.BufferLength = body.len() as u32;
        let mut response = HTTP_RESPONSE_V2::default();
        let base = &mut response.Base;
        base.StatusCode = 200;
        base.pReason = c"OK".as_ptr().cast();
        base.ReasonLength = 2;
        base.EntityChunkCount = 1;
        base.pEntityChunks = &raw mut chunk;
        let mut sent = 0;
        // SAFETY: what the response points to outlives the call.
        let error = unsafe {
            HttpSendHttpResponse(
                self.0,
                request,
                0,
                &raw const response,
                null(),
                &raw mut sent,
                null(),
                0,
                null_mut(),
                null(),
            )
        };
        done("send", error)
    }
}

/// Text of that many bytes.
///
/// # Safety
/// `start` is null or points to so many bytes of UTF-16.
unsafe fn text(start: *const u16, bytes: u16) -> String {
    if start.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    let units = unsafe { std::slice::from_raw_parts(start, usize::from(bytes) / 2) };
    String::from_utf16_lossy(units)
}
