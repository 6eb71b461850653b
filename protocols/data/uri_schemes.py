"""URI scheme code points of the URI AD type (0x24): one character stands for the scheme and its colon.

Source: Bluetooth Assigned Numbers 2.7 "URI Scheme Name String Mapping", state of January 2026. Code point 0x01
stands for no scheme at all: the whole URI follows. Data only.
"""

from __future__ import annotations

from typing import Final

__all__ = ["NO_SCHEME", "SCHEMES"]

NO_SCHEME: Final = 0x01

# in order from code point 0x02
_NAMES = """
aaa aaas about acap acct cap cid coap coaps crid data dav dict dns file ftp geo go gopher h323 http
https iax icap im imap info ipp ipps iris iris.beep iris.xpc iris.xpcs iris.lwz jabber ldap mailto
mid msrp msrps mtqp mupdate news nfs ni nih nntp opaquelocktoken pop pres reload rtsp rtsps rtspu
service session shttp sieve sip sips sms snmp soap.beep soap.beeps stun stuns tag tel telnet tftp
thismessage tn3270 tip turn turns tv urn vemmi ws wss xcon xcon-userid xmlrpc.beep xmlrpc.beeps xmpp
z39.50r z39.50s acr adiumxtra afp afs aim apt attachment aw barion beshare bitcoin bolo callto
chrome chrome-extension com-eventbrite-attendee content cvs dlna-playsingle dlna-playcontainer dtn
dvb ed2k facetime feed feedready finger fish gg git gizmoproject gtalk ham hcp icon ipn irc irc6
ircs itms jar jms keyparc lastfm ldaps magnet maps market message mms ms-help ms-settings-power
msnim mumble mvn notes oid palm paparazzi pkcs11 platform proxy psyc query res resource rmi rsync
rtmfp rtmp secondlife sftp sgn skype smb smtp soldat spotify ssh steam submit svn teamspeak teliaeid
things udp unreal ut2004 ventrilo view-source webcal wtai wyciwyg xfire xri ymsgr example
ms-settings-cloudstorage
"""

SCHEMES: Final[dict[int, str]] = dict(enumerate(_NAMES.split(), start=0x02))
"""Code point -> scheme without colon."""
