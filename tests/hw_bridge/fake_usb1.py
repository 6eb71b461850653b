"""Stands where python-libusb1 is: one Bluetooth dongle whose transfers end as a test says.

Error codes and classes are those of libusb's documentation. Events run in the thread that calls handleEvents.
"""

from __future__ import annotations

import queue
import threading

TRANSFER_COMPLETED, TRANSFER_ERROR, TRANSFER_TIMED_OUT, TRANSFER_CANCELLED = range(4)
TRANSFER_STALL, TRANSFER_NO_DEVICE = 4, 5
CAP_SUPPORTS_DETACH_KERNEL_DRIVER = 0x100


class USBError(Exception):
    """Base of libusb's errors."""


class USBErrorBusy(USBError):  # noqa: N818 # libusb's name
    pass


class USBErrorAccess(USBError):  # noqa: N818 # libusb's name
    pass


class USBErrorNoDevice(USBError):  # noqa: N818 # libusb's name
    pass


class USBErrorNotSupported(USBError):  # noqa: N818 # libusb's name
    pass


class USBErrorOther(USBError):  # noqa: N818 # libusb's name
    pass


class USBErrorInterrupted(USBError):  # noqa: N818 # libusb's name
    pass


def hasCapability(capability):  # noqa: N802 # libusb's name
    return False


class Endpoint:
    def __init__(self, address, kind, size):
        self.address, self.kind, self.size = address, kind, size

    def getAddress(self):  # noqa: N802 # likewise, and below
        return self.address

    def getAttributes(self):  # noqa: N802
        return self.kind

    def getMaxPacketSize(self):  # noqa: N802
        return self.size


class Setting(list):
    def getClass(self):  # noqa: N802
        return 0xE0

    getSubClass = getProtocol = lambda self: 1  # noqa: N815

    def getNumber(self):  # noqa: N802
        return 0

    getAlternateSetting = getNumber  # noqa: N815


class Usb:
    """The bus: errors make a step fail, the event `hold` makes opening wait; `open_contexts` counts what is open."""

    def __init__(self, dongle):
        self.dongle = dongle
        self.claim_error = self.open_error = self.context_error = self.submit_error = None
        self.hold = None
        self.endpoints = [Endpoint(0x81, 3, 16), Endpoint(0x82, 2, 64), Endpoint(0x02, 2, 64)]
        self.open_contexts = 0
        self.open_handles = 0
        self.there = True
        self.handle = None
        self.out_status = TRANSFER_COMPLETED
        self.cleared = []
        self.threads = []
        """who handled events"""

    def module(self):
        """What goes into the place of usb1."""
        bus = self

        class USBContext(Context):
            def __init__(self):
                super().__init__(bus)

        names = {
            name: value
            for name, value in globals().items()
            if name[:1].isupper() or name == "hasCapability"
        }
        return type(
            "usb1",
            (),
            {
                **{n: staticmethod(v) if n == "hasCapability" else v for n, v in names.items()},
                "USBContext": USBContext,
            },
        )


class Context:
    def __init__(self, bus):
        self.bus, self.events, self.is_open = bus, queue.Queue(), False

    def open(self):
        if self.bus.context_error:
            raise self.bus.context_error
        if self.bus.hold is not None:
            self.bus.hold.wait(10)
        self.is_open = True
        self.bus.open_contexts += 1

    def close(self):
        if self.is_open:
            self.is_open = False
            self.bus.open_contexts -= 1

    def getDeviceIterator(self, skip_on_error):  # noqa: N802
        if self.bus.there:
            yield Device(self)

    def handleEvents(self):  # noqa: N802
        if threading.current_thread() not in self.bus.threads:
            self.bus.threads.append(threading.current_thread())
        action = self.events.get()
        if action is not None:
            action()

    def interruptEventHandler(self):  # noqa: N802
        self.events.put(None)


class Device:
    def __init__(self, context):
        self.context, self.bus = context, context.bus

    def getVendorID(self):  # noqa: N802
        return 0x2FE3

    def getProductID(self):  # noqa: N802
        return 0x000B

    def getSerialNumber(self):  # noqa: N802
        return "S1"

    def getDeviceClass(self):  # noqa: N802
        return 0xE0

    getDeviceSubClass = getDeviceProtocol = lambda self: 1  # noqa: N815

    def __iter__(self):
        return iter([[[Setting(self.bus.endpoints)]]])

    def open(self):
        if self.bus.open_error:
            raise self.bus.open_error
        self.bus.handle = Handle(self.context)
        self.bus.open_handles += 1
        return self.bus.handle

    def close(self):
        pass


class Handle:
    def __init__(self, context):
        self.context, self.bus, self.reading, self.read_sizes = context, context.bus, {}, {}

    def getTransfer(self, iso_packets=0):  # noqa: N802
        return Transfer(self)

    def getConfiguration(self):  # noqa: N802
        return 1

    def claimInterface(self, number):  # noqa: N802
        if self.bus.claim_error:
            raise self.bus.claim_error

    def releaseInterface(self, number):  # noqa: N802
        if not self.bus.there:
            raise USBErrorNoDevice(-4)

    def clearHalt(self, endpoint):  # noqa: N802
        self.bus.cleared.append(endpoint)

    def close(self):
        self.bus.open_handles -= 1

    def say(self, packet, piece=4096):
        """Send an H4 packet in pieces, on the endpoint of its kind."""
        endpoint = 0x81 if packet[0] == 4 else 0x82
        for at in range(1, len(packet), piece):
            data = packet[at : at + piece]
            self.context.events.put(
                lambda data=data: self.reading[endpoint].end(TRANSFER_COMPLETED, data)
            )

    def vanish(self):
        """Unplug."""
        self.bus.there = False
        for transfer in list(self.reading.values()):
            self.context.events.put(lambda transfer=transfer: transfer.end(TRANSFER_NO_DEVICE))


class Transfer:
    def __init__(self, handle):
        self.handle, self.submitted, self.status, self.data = handle, False, 0, b""

    def setInterrupt(self, endpoint, size, callback=None, user_data=None):  # noqa: N802
        self.endpoint, self.buffer, self.callback, self.user_data = (
            endpoint,
            size,
            callback,
            user_data,
        )
        if endpoint & 0x80:
            self.handle.read_sizes[endpoint] = size

    setBulk = setInterrupt  # noqa: N815

    def setControl(self, kind, request, value, index, buffer, callback=None):  # noqa: N802
        self.endpoint, self.buffer, self.callback, self.user_data = 0, buffer, callback, None

    def submit(self):
        if not self.handle.bus.there:
            raise USBErrorNoDevice(-4)
        if self.handle.bus.submit_error and not self.endpoint & 0x80:
            raise self.handle.bus.submit_error
        self.submitted = True
        if self.endpoint & 0x80:
            self.handle.reading[self.endpoint] = self
        else:
            self.handle.context.events.put(self.sent)

    def sent(self):
        bus = self.handle.bus
        carried = (b"\x02" if self.endpoint else b"\x01") + bytes(self.buffer)
        status, bus.out_status = bus.out_status, TRANSFER_COMPLETED
        has_it = status == TRANSFER_COMPLETED and bus.there
        replies = bus.dongle.feed(carried) if has_it else ()
        self.end(status if bus.there else TRANSFER_NO_DEVICE)
        for packet in replies:
            self.handle.say(packet)

    def end(self, status, data=b""):
        self.submitted, self.status, self.data = False, status, data
        self.callback(self)

    def cancel(self):
        self.handle.context.events.put(lambda: self.end(TRANSFER_CANCELLED))

    def isSubmitted(self):  # noqa: N802
        return self.submitted

    def getStatus(self):  # noqa: N802
        return self.status

    def getUserData(self):  # noqa: N802
        return self.user_data

    def getEndpoint(self):  # noqa: N802
        return self.endpoint

    def getActualLength(self):  # noqa: N802
        return len(self.data)

    def getBuffer(self):  # noqa: N802
        return self.data
