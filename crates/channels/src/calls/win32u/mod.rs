//! win32u's system calls: what win32k does for user32, gdi32 and the graphics
//! runtime.

mod desktop;
mod drawing;
mod graphics;
mod input;
mod screen;
mod windows;

pub(in crate::calls) use desktop::GROUPS as DESKTOP;
pub(in crate::calls) use drawing::GROUPS as DRAWING;
pub(in crate::calls) use graphics::GROUPS as GRAPHICS;
pub(in crate::calls) use input::GROUPS as INPUT;
pub(in crate::calls) use screen::GROUPS as SCREEN;
pub(in crate::calls) use windows::GROUPS as WINDOWS;
