"""A USB bus as Linux shows it in files, in a folder of a test."""

from __future__ import annotations

from hw_bridge import usb_bus


class Bus:
    """The kernel's files of a bus."""

    def __init__(self, folder):
        self.sysfs, self.nodes = folder / "sys", folder / "dev"

    def plug(self, port, vid, pid, *, product="", hci=False, node=True):
        number = len(list(self.sysfs.glob("*"))) + 1
        place = self.sysfs / port
        place.mkdir(parents=True)
        files = {"idVendor": vid, "idProduct": pid, "product": product, "busnum": "1"}
        files |= {"devnum": str(number), "bcdDevice": "0100"}
        if hci:
            files |= {"bDeviceClass": "e0", "bDeviceSubClass": "01", "bDeviceProtocol": "01"}
        for name, text in files.items():
            (place / name).write_text(text)
        if node:
            (self.nodes / "001").mkdir(parents=True, exist_ok=True)
            (self.nodes / "001" / f"{number:03}").touch()

    def why_not(self, target):
        return usb_bus.why_not(target, self.sysfs, self.nodes)
