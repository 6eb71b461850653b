"""Rules of Wi-Fi Aware that no code here carries out, one row each: known, not (yet) simulated.

`documented` ones are for a reader, or for a phone's own software; `not simulated` ones are outside of the simulation.
Data only.
"""

from __future__ import annotations

from sim.explain._documented import Row, rule

__all__ = ["AWARE"]

_IOS, _ANDROID, _ASK = ("ios-aware",), ("android-aware",), ("ios-ask",)
_ADG = "public feasibility note citing the Accessory Design Guidelines R29, chapter 56"
_NAMES = "AOSP WifiAwareStateManager, WifiAwareNativeApi, WifiAwareDataPathStateManager, config.xml"
_TIMER = "a timer inside the phone: frames show it only when it fires"
_SETTING = "a setting inside the phone, which no frame names"

# id, title, statement, source, confidence, status, subject, profiles, stories, why no code does it
_ROWS: tuple[Row, ...] = (
    (
        "AK-15", "link to the paired device",
        "After success ASAccessory.wifiAwarePairedDeviceID leads to the WAPairedDevice; an accessory known by SSID can be "
        "upgraded with updateAuthorization.",
        "Apple documentation", "D", "documented", "app", _ASK, (), "it stays inside the phone",
    ),
    (
        "IA-02", "no Mac, watch, TV or headset",
        "There is no macOS, watchOS, tvOS or visionOS peer. Mac Catalyst: the documentation lists 26.0, the SDK marks it "
        "unavailable; take it as absent.",
        "Apple documentation; mahdidavoodi7/react-native-wifi-aware SDK report", "D / conflict", "not simulated", "app", _IOS,
        ("US-36",), "only phones are simulated",
    ),
    (
        "IA-03", "not in the iOS Simulator",
        "The framework is present in the iOS Simulator for type checking only; the feature is unsupported there.",
        'Apple sample "Building peer-to-peer apps"', "D", "not simulated", "app", _IOS, (), "Apple's simulator is not simulated",
    ),
    (
        "IA-07", "strangers are found in system screens only",
        "Unpaired discovery happens only inside DevicePicker or the AccessorySetupKit picker (phone subscribes) and "
        "DevicePairingView (phone publishes). No scan of strangers by apps exists.",
        "WWDC25-228; Apple documentation", "D", "documented", "app", _IOS, ("US-12",),
        "there is no call to judge; what a phone hides outside of these screens is IA-08",
    ),
    (
        "IA-16", "beside infrastructure Wi-Fi",
        "Wi-Fi Aware coexists with infrastructure Wi-Fi; joining or leaving an access point does not end connections.",
        "developer.apple.com/documentation/wifiaware", "D", "not simulated", "aware_device", _IOS, (),
        "access points are not simulated",
    ),
    (
        "IA-17", "what the European Commission asked for",
        "The decision under the Digital Markets Act requires Wi-Fi Aware 4.0 in iOS 26 and 5.0 within nine months of its "
        "adoption; a factsheet of 2026-05-11 lists peer-to-peer Wi-Fi with high bandwidth as delivered.",
        "heise.de 10446649 and Commission factsheet, as quoted in public notes", "O", "documented", "aware_device", _IOS, (),
        "law, not a frame",
    ),
    (
        "IA-21", "who can provision the capability",
        "Free developer teams cannot provision the capability (signing error). Reports differ on whether paid teams must ask.",
        "public notes, 2026-09-09; Espressif blog, 2026-08-11", "O / conflict", "not simulated", "app", _IOS, (),
        "the build of an app is not simulated",
    ),
    (
        "IA-29", "errors are opaque",
        "The payloads of errors are opaque structs (Codable only).", "SDK report", "O", "documented", "app", _IOS, (),
        "there is nothing to judge",
    ),
    (
        "IA-33", "an accessory without display",
        "Without a display the PIN may stand on a label, be fixed by the factory, or be logged; it must exist.",
        "Espressif blog, 2026-08-11", "O", "documented", "aware_pairing", _IOS, ("US-10",), "where a PIN is shown is not on the air",
    ),
    (
        "IA-38", "all causes look alike on the phone",
        "A wrong or missing PIN mode and wrong pairing info look the same on the phone: the device never appears in the sheet.",
        "Espressif blog, 2026-08-11", "O", "documented", "aware_service", _IOS, ("US-10",),
        "the causes are told apart by IA-30, IA-31, IA-32 and IA-37",
    ),
    (
        "IA-47", "sample app shows no device",
        "With two iPhone 12 mini (iOS 26.0.1) the PIN was accepted, Settings listed both devices, the app showed none, and the "
        "viewer could only cancel.",
        'Apple Developer Forums, "Get Wi-Fi Aware demo app working"', "O", "documented", "app", _IOS, ("US-04",),
        "one report without frames; signatures of a half pairing are NB-08 and IA-42",
    ),
    (
        "IA-56", "names are not proof",
        "Filters on WAPairedDevice.name see a name that the user can edit; pairing info is not authenticated.",
        "Apple documentation", "D", "documented", "app", _IOS, (), "it stays inside the phone",
    ),
    (
        "IA-59", "IPv6 link-local only",
        "IP on a data path is IPv6 link-local on interface nan0; the accessory must use a scope ID. No DHCP, no IPv4.",
        "Espressif blog, 2026-08-11; Apple Developer Forums", "O", "documented", "aware_data_path", _IOS, (),
        "data frames are encrypted",
    ),
    (
        "IA-60", "address of the peer",
        "The peer's link-local address may be computed from the MAC of its data interface (EUI-64); one stack pins it and skips "
        "neighbour discovery.",
        "ESP-IDF commit 08e98f6f301", "O", "documented", "aware_data_path", _IOS, (), "data frames are encrypted",
    ),
    (
        "IA-64", "performance mode",
        "performanceMode bulk (default) or realtime must be the same on both ends; a mismatch is undefined behaviour, not an error.",
        "Apple WAPerformanceMode", "D", "documented", "app", _IOS, (), "no frame says which mode an app chose",
    ),
    (
        "IA-65", "what came with 26.4 and 27.0",
        "iOS 26.4 adds WAConnection.deriveSharedSecret, NWEndpoint.wifiAware and addingConnections(from:), 27.0 adds "
        "performanceForecast. On 26.0 to 26.3 the endpoint of a picker is opaque.",
        "SDK report; Apple documentation", "D/O", "documented", "app", _IOS, (), "calls inside the phone",
    ),
    (
        "IA-67", "sockets of suspended apps",
        "Plain sockets of suspended apps may be reclaimed too.", "TN2277 as discussed in the Apple Developer Forums", "D†",
        "documented", "aware_data_path", _IOS, ("US-34",), "inside the phone; the end of a data path is IA-66",
    ),
    (
        "IA-70", "Wi-Fi Aware 4.0",
        "Accessories implement the Wi-Fi Aware specification 4.0.", f"{_ADG}; replies of DTS", "O", "documented", "aware_device",
        _IOS, (), "no frame names a version",
    ),
    (
        "IA-71", "certified by the Wi-Fi Alliance",
        "Accessories are certified by the Wi-Fi Alliance.", f"{_ADG}; Apple framework page", "D/O", "documented", "aware_device",
        _IOS, (), "no frame names a certificate",
    ),
    (
        "IA-74", "NCS-PK-PASN-128 (guidelines)",
        "Accessories support NCS-PK-PASN-128.", "second public note on the Accessory Design Guidelines", "O", "documented",
        "aware_service", _IOS, (), "IA-39 judges it",
    ),
    (
        "IA-75", "bands, discovery windows, service info",
        "What the guidelines ask of bands, discovery windows and service info was not found outside of the document.",
        "none; unverified", "I (unverified)", "documented", "aware_device", _IOS, (), "not known",
    ),
    (
        "IA-76", "PIN of six digits (guidelines)",
        "Chapter 56 (edition of 2026-09-21) is quoted as naming a six-digit PIN as the pairing method.",
        'third-party design record "Pairing bootstrap", 2026-09-30; primary text not read', "O (second-hand)", "documented",
        "aware_service", _IOS, ("US-10",), "IA-31 judges it",
    ),
    (
        "AA-08", "cipher constants",
        "Constants exist for SK-128, SK-256, PK-2WDH-128, PK-2WDH-256, PK-PASN-128 and PK-PASN-256; flags of the HAL differ between "
        "its versions (bits 4 and 5, or 6 and 7 for PASN).",
        "AOSP HAL NanCipherSuiteType (two versions)", "D", "documented", "app", _ANDROID, (), "numbers inside the phone",
    ),
    ("AA-20", "HAL command timeout", "A command of the HAL times out after 5 s.", _NAMES, "D", "documented", "app", _ANDROID, (), _TIMER),
    (
        "AA-27", "discovery windows with the screen on",
        "With the screen on the phone is there at every discovery window of 2.4, 5 and 6 GHz (512 TU).", _NAMES, "D", "documented",
        "aware_device", _ANDROID, (), "the normal state; AA-28 judges the other one",
    ),
    (
        "AA-32", "strength thresholds",
        "Close and middle are -60 and -70 dBm at 2.4 GHz, -60 and -75 dBm at 5 and 6 GHz, dwell 200 ms; matching does not use them.",
        _NAMES, "D", "documented", "aware_device", _ANDROID, (), _SETTING,
    ),
    (
        "AA-53", "where Generic service info is expected",
        "Android peers expect service info of the Generic protocol in the Service Descriptor rather than in its extension "
        "(a compatibility switch of ESP-IDF).",
        "ESP-IDF nan_app.c, esp_wifi_driver.h", "O", "documented", "aware_service", _ANDROID, (),
        "what an app makes of it is not published",
    ),
    (
        "AA-54", "pairing offloaded to the framework",
        "From API 37 on setFrameworkOffloadedPairingEnabled(true) on publish and subscribe lets the framework pair before the data "
        "path, with screens of the system; 30 s or more are recommended for connecting. No public proof with an iPhone.",
        "public notes quoting PublishConfig.Builder documentation", "D† / unproven", "documented", "aware_pairing", _ANDROID, (),
        "its frames are not published",
    ),
    (
        "AA-55", "open and passphrase data paths",
        "Open data paths and those with a passphrase still exist on Android (unlike iOS).", "Android documentation", "D", "documented",
        "aware_data_path", _ANDROID, ("US-03",), "nothing to find fault with; for an iPhone it is IA-57",
    ),
)  # fmt: skip

AWARE = tuple(map(rule, _ROWS))
