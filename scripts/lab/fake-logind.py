#!/usr/bin/python3
"""A logind for tests: org.freedesktop.login1 on the system bus that DBUS_SYSTEM_BUS_ADDRESS names.

Argument: InhibitDelayMaxUSec. It says on stdout, a line each: `ready`, `inhibited <what> <who> <mode>`, `released`, and
takes on stdin: `prepare` and `cancel`, for which it sends PrepareForShutdown. Inhibitors are pipes, as the real one's are.
Needs python3-dbus and python3-gi.
"""

import os
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

INTERFACE = "org.freedesktop.login1.Manager"


def say(text):
    print(text, flush=True)


class Manager(dbus.service.Object):
    def __init__(self, bus, limit):
        super().__init__(bus, "/org/freedesktop/login1")
        self.limit = dbus.UInt64(limit)
        self.preparing = False

    @dbus.service.method(INTERFACE, in_signature="ssss", out_signature="h")
    def Inhibit(self, what, who, why, mode):
        mine, theirs = os.pipe()
        say(f"inhibited {what} {who} {mode}")
        GLib.io_add_watch(mine, GLib.IO_HUP, self.released)
        fd = dbus.types.UnixFd(theirs)
        os.close(theirs)
        return fd

    def released(self, fd, _condition):
        os.close(fd)
        say("released")
        return False

    @dbus.service.signal(INTERFACE, signature="b")
    def PrepareForShutdown(self, start):
        pass

    @dbus.service.method(dbus.PROPERTIES_IFACE, in_signature="ss", out_signature="v")
    def Get(self, _interface, name):
        return self.limit if name == "InhibitDelayMaxUSec" else dbus.Boolean(self.preparing)

    def order(self, source, _condition):
        line = source.readline().strip()
        if line == "":
            GLib.MainLoop().quit()
            os._exit(0)
        self.preparing = line == "prepare"
        self.PrepareForShutdown(dbus.Boolean(self.preparing))
        return True


def main():
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.SystemBus()
    name = dbus.service.BusName("org.freedesktop.login1", bus)
    manager = Manager(bus, int(sys.argv[1]))
    GLib.io_add_watch(sys.stdin, GLib.IO_IN | GLib.IO_HUP, manager.order)
    say("ready")
    GLib.MainLoop().run()
    del name


main()
