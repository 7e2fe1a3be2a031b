//! RPC servers by each protocol, and the endpoint mapper. Whether a server listens
//! can be asked of any, so no interface of its own is needed.

use super::{Held, Player, Served};
use crate::imports;
use crate::win::{self, Step, wide};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_probes::{Ask, Seen};

type Binding = *mut c_void;

imports! {
    "rpcrt4.dll" {
        fn RpcServerUseProtseqEpW(protocol: *const u16, most: u32, endpoint: *const u16, security: *const c_void) -> u32;
        fn RpcServerUseProtseqW(protocol: *const u16, most: u32, security: *const c_void) -> u32;
        fn RpcServerRegisterIf(interface: *const Interface, kind: *const c_void, methods: *const c_void) -> u32;
        fn RpcServerListen(threads: u32, most: u32, later: u32) -> u32;
        fn RpcServerInqBindings(bindings: *mut *mut c_void) -> u32;
        fn RpcEpRegisterW(interface: *const Interface, bindings: *const c_void, objects: *const c_void, note: *const u16) -> u32;
        fn RpcEpUnregister(interface: *const Interface, bindings: *const c_void, objects: *const c_void) -> u32;
        fn RpcEpResolveBinding(binding: Binding, interface: *const Interface) -> u32;
        fn RpcStringBindingComposeW(object: *const u16, protocol: *const u16, address: *const u16, endpoint: *const u16, options: *const u16, text: *mut *mut u16) -> u32;
        fn RpcBindingFromStringBindingW(text: *const u16, binding: *mut Binding) -> u32;
        fn RpcBindingFree(binding: *mut Binding) -> u32;
        fn RpcMgmtIsServerListening(binding: Binding) -> u32;
    }
}

/// RPC_SERVER_INTERFACE and RPC_CLIENT_INTERFACE, which are alike so far as they
/// are used here (rpcdcep.h).
#[repr(C)]
pub struct Interface {
    length: u32,
    id: [u32; 4],
    version: u32,
    transfer: [u32; 4],
    transfer_version: u32,
    dispatch: *const c_void,
    endpoint_count: u32,
    endpoints: *const c_void,
    manager: *const c_void,
    context: *const c_void,
    flags: u32,
}

/// NDR, version 2.
const NDR: [u32; 4] = [0x8a88_5d04, 0x11c9_1ceb, 0x0008_e89f, 0x6048_102b];
const RPC_S_ALREADY_LISTENING: u32 = 1713;
const RPC_S_DUPLICATE_ENDPOINT: u32 = 1740;

pub fn player(probe: &str) -> Option<Player> {
    (probe == "rpc").then_some(Player::new(serve, reach))
}

/// An interface without methods that the scene alone has; it is never given back,
/// as the runtime keeps it.
fn interface(ask: &Ask) -> &'static Interface {
    Box::leak(Box::new(Interface {
        length: size_of::<Interface>() as u32,
        id: [ask.secret, 0x0001_0001, 0x5069_6e69, 0x6f6e_0001],
        version: 1,
        transfer: NDR,
        transfer_version: 2,
        dispatch: null(),
        endpoint_count: 0,
        endpoints: null(),
        manager: null(),
        context: null(),
        flags: 0,
    }))
}

fn ok(what: &str, code: u32) -> Step<()> {
    if code == 0 {
        Ok(())
    } else {
        Err(win::error(what, code))
    }
}

/// Protocol, address and endpoint of a way.
fn place(ask: &Ask) -> Step<[String; 3]> {
    let (protocol, address, endpoint) = match ask.way.as_str() {
        "local" => ("ncalrpc", "", ask.name.clone()),
        "mapper" => ("ncalrpc", "", String::new()),
        "pipe" => ("ncacn_np", "", format!(r"\pipe\{}", ask.name)),
        "tcp" => {
            let port = 40_000 + (ask.secret & 0x3fff);
            ("ncacn_ip_tcp", "127.0.0.1", port.to_string())
        }
        way => return win::unknown(way),
    };
    Ok([protocol.into(), address.into(), endpoint])
}

struct Mapped(&'static Interface, usize);

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: what was registered.
        let _ = unsafe { RpcEpUnregister(self.0, self.1 as *const c_void, null()) };
    }
}

fn serve(ask: &Ask) -> Step<Box<dyn Served>> {
    let [protocol, _, endpoint] = place(ask)?;
    let (protocol, endpoint, note) = (wide(&protocol), wide(&endpoint), wide(&ask.name));
    let interface = interface(ask);
    let mut bindings = null_mut();
    // SAFETY: all texts end in zeros; the interface lives as long as the process.
    unsafe {
        if ask.way == "mapper" {
            ok(
                "the protocol",
                RpcServerUseProtseqW(protocol.as_ptr(), 10, null())?,
            )?;
        } else {
            match RpcServerUseProtseqEpW(protocol.as_ptr(), 10, endpoint.as_ptr(), null())? {
                RPC_S_DUPLICATE_ENDPOINT => {}
                code => ok("the endpoint", code)?,
            }
        }
        ok(
            "the interface",
            RpcServerRegisterIf(interface, null(), null())?,
        )?;
        match RpcServerListen(1, 10, 1)? {
            RPC_S_ALREADY_LISTENING => {}
            code => ok("listen", code)?,
        }
        if ask.way != "mapper" {
            return Ok(Box::new(Held(())));
        }
        ok("the bindings", RpcServerInqBindings(&raw mut bindings)?)?;
        let registered = RpcEpRegisterW(interface, bindings, null(), note.as_ptr())?;
        ok("the mapper", registered)?;
    }
    Ok(Box::new(Held(Mapped(interface, bindings as usize))))
}

struct Bound(Binding);

impl Drop for Bound {
    fn drop(&mut self) {
        // SAFETY: a binding of this value's own.
        let _ = unsafe { RpcBindingFree(&raw mut self.0) };
    }
}

/// A binding to a server.
fn bind(protocol: &str, address: &str, endpoint: &str) -> Step<Bound> {
    let [protocol, address, endpoint] = [protocol, address, endpoint].map(wide);
    let (mut text, mut binding) = (null_mut(), null_mut());
    let or_none = |text: &[u16]| {
        if text.len() == 1 {
            null()
        } else {
            text.as_ptr()
        }
    };
    // SAFETY: all texts end in zeros; the outputs are locals.
    unsafe {
        let composed = RpcStringBindingComposeW(
            null(),
            protocol.as_ptr(),
            or_none(&address),
            or_none(&endpoint),
            null(),
            &raw mut text,
        )?;
        ok("the binding", composed)?;
        ok(
            "bind",
            RpcBindingFromStringBindingW(text, &raw mut binding)?,
        )?;
    }
    Ok(Bound(binding))
}

/// Whether there is a server.
pub fn listens(protocol: &str, address: &str, endpoint: &str) -> Step<()> {
    let bound = bind(protocol, address, endpoint)?;
    // SAFETY: a live binding.
    ok("ask", unsafe { RpcMgmtIsServerListening(bound.0)? })
}

fn reach(ask: &Ask) -> Step<()> {
    let [protocol, address, endpoint] = place(ask)?;
    if ask.way == "tcp" {
        // Wine does not tell of such servers whether they listen.
        let port = endpoint.parse().unwrap_or(0);
        return super::sockets::connects(&address, port);
    }
    if ask.way != "mapper" {
        return listens(&protocol, &address, &endpoint);
    }
    let bound = bind(&protocol, &address, "")?;
    // SAFETY: a live binding; the interface lives as long as the process.
    match unsafe { RpcEpResolveBinding(bound.0, interface(ask))? } {
        0 => Ok(()),
        // EPT_S_NOT_REGISTERED
        1753 => Err(Seen::Refused("the mapper does not know it".into())),
        code => Err(win::error("resolve", code)),
    }
}
