"""Directives and sections of Apache and IBM i that guard something or would be missed, and are not obeyed here.

They are refused with what to do instead. Arguments that ask for nothing beyond what the gateway does are
accepted with a notice (`HARMLESS`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

_ACCESS = "Require, AuthType Basic, AuthUserFile and AuthGroupFile are what guards a place here"
_PROXY = "the gateway runs CGI programs and sends files, it forwards nothing: put a reverse proxy in front"
_HEADERS = "headers are not changed here: programs write their own; let a reverse proxy in front change others"
_REWRITE = "URLs are not rewritten: use Alias, ScriptAlias, their Match forms, Redirect and RedirectMatch"
_FILTERS = "responses are not filtered: the text would be sent as it is in the file"
_CERTIFICATE = "write SSLEngine On, SSLCertificateFile and SSLCertificateKeyFile (PEM, from the key store)"
_CLIENTS = "certificates of clients are not checked: use AuthType Basic, or let a proxy in front check them"
_PROTOCOL = "TLS 1.2 and newer are spoken; nothing weaker can be asked for"
_OTHERS = "programs of other interfaces than CGI are not run"
_VHOSTS = "virtual hosts are written one by one: <VirtualHost>, with ServerAlias for more names"
_USERS = "accounts come from files: make one with htpasswd, and name it with AuthUserFile"
_FIREWALL = "there is no request firewall: run it in a proxy in front"

_NAMES = {
    _REWRITE: "AliasPreservePath FallbackResource DirectoryIndexRedirect ServerPath CheckSpelling "
    "CheckCaseOnly CheckBasenameMatch",
    'use AliasMatch "^/~([^/]+)/(.*)$" /home/$1/public_html/$2': "UserDir",
    "folders without their slash are always redirected": "DirectorySlash",
    _VHOSTS: "VirtualDocumentRoot VirtualDocumentRootIP VirtualScriptAlias VirtualScriptAliasIP",
    _HEADERS: "Header RequestHeader ExpiresActive ExpiresByType ExpiresDefault MetaDir MetaFiles MetaSuffix "
    "CookieDomain CookieExpires CookieHTTPOnly CookieName CookieSameSite CookieSecure CookieStyle "
    "CookieTracking",
    _FILTERS: "AddOutputFilter AddOutputFilterByType SetOutputFilter AddInputFilter SetInputFilter "
    "RemoveInputFilter RemoveOutputFilter FilterDeclare FilterProvider FilterChain FilterProtocol XBitHack "
    "ExtFilterDefine ExtFilterOptions InputSed OutputSed Substitute SubstituteInheritBefore "
    "SubstituteMaxLineLength xml2EncAlias xml2EncDefault xml2StartParse SSIAccessEnable SSIEndTag "
    "SSIErrorMsg SSIETag SSILastModified SSILegacyExprParser SSIStartTag SSITimeFormat SSIUndefinedEcho "
    "CharsetDefault CharsetOptions CharsetSourceEnc ModMimeUsePathInfo",
    "name the program itself: ScriptAlias, AddHandler cgi-script": "Action Script",
    "every program gets what CGI says": "CGIVar",
    "use CGIScriptTimeout": "CGIDScriptTimeout",
    "use CustomLog in every virtual host": "GlobalLog CookieLog ForensicLog",
    "conditions are regular expressions: use SetEnvIf": "SetEnvIfExpr",
    "write Require method …, or <LimitExcept>": "AllowMethods",
    "there are no .htaccess files: rules in them would be lost; move them into <Directory> and write "
    "AllowOverride None": "AllowOverride AllowOverrideList",
    _ACCESS: "AuthAuthoritative AuthBasicAuthoritative AuthBasicFake AuthBasicUseDigestAlgorithm "
    "AuthzDBMType AuthDefaultAuthoritative AuthzDefaultAuthoritative AuthzUserAuthoritative "
    "AuthzGroupFileAuthoritative AuthzOwnerAuthoritative AuthzHostAuthoritative "
    "AuthzSendForbiddenOnFailure AsAuthAuthoritative LDAPConfigFile LDAPRequire LDAPReferrals "
    "LDAPReferralHopLimit LDAPTrustedClientCert LDAPTrustedGlobalCert LDAPTrustedMode LDAPVerifyServerCert "
    "LDAPLibraryDebug LDAPRebindTimeout",
    _USERS: "PasswdFile ProfileToken",
    "use AuthGroupFile": "GroupFile",
    "run it under systemd with RootDirectory": "ChrootDir",
    "an unknown Host goes to the first virtual host of the address": "StrictHostCheck",
    "slashes are always merged": "MergeSlashes",
    "regular expressions always have Apache's own default, DOTALL and DOLLAR_ENDONLY": "RegexDefaultOptions",
    "write the lines out": "Use UndefMacro",
    "an address behind a proxy comes from RemoteIPHeader": "RemoteIPProxyProtocol "
    "RemoteIPProxyProtocolExceptions",
    "the proxies that a request came through are not told to programs": "RemoteIPProxiesHeader",
    _CERTIFICATE: "SSLAppName SSLEnable SSLServerCert SSLStashFile KeyFile "
    "SSLUpgrade SSLOpenSSLConfCmd SSLFIPS SSLOCSPEnable SSLSRPVerifierFile SSLSRPUnknownUserSeed",
    _CLIENTS: "SSLVerifyClient SSLVerifyDepth SSLCACertificateFile SSLCACertificatePath SSLCADNRequestFile "
    "SSLCADNRequestPath SSLCARevocationCheck SSLCARevocationFile SSLCARevocationPath SSLUserName "
    "SSLAuthType SSLClientAuth SSLClientAuthGroup SSLClientAuthRequire SSLClientAuthVerify "
    "SSLClientCertDisable SSLClientCertEnable SSLFakeBasicAuth SSLOptions SSLUnknownRevocationStatus "
    "SSLOCSPDefaultResponder SSLOCSPNoverify SSLOCSPOverrideResponder SSLOCSPProxyURL "
    "SSLOCSPResponderCertificateFile SSLOCSPResponderTimeout SSLOCSPResponseMaxAge SSLOCSPResponseTimeSkew "
    "SSLOCSPUseRequestNonce SSLInsecureRenegotiation",
    "give the place a virtual host of its own on the TLS port": "SSLRequireSSL SSLRequire SSLDenySSL "
    "SSLStrictSNIVHostCheck SSLVHostSNIPolicy SSLPolicy",
    _PROTOCOL: "SSLVersion SSLProtocolDisable SSLCipherSuite SSLCipherBan SSLCipherRequire SSLCipherSpec",
    "give certificates with SSLCertificateFile, renewed by certbot or another client": "MDomain",
    _OTHERS: "WebSpherePluginConfig WASPluginConfig AddOutputHandler ImapBase ImapDefault ImapMenu",
}
_PREFIXES = {
    "Rewrite": _REWRITE,
    "Proxy": _PROXY,
    "Balancer": _PROXY,
    "SSLProxy": _PROXY,
    "Heart": _PROXY,
    "Sec": _FIREWALL,
    "QS_": _FIREWALL,
    "DOS": _FIREWALL,
    "AuthLDAP": _ACCESS,
    "AuthDigest": _ACCESS,
    "AuthForm": _ACCESS,
    "AuthDBD": _ACCESS,
    "AuthDBM": _ACCESS,
    "AuthzDBD": _ACCESS,
    "AuthnzFcgi": _ACCESS,
    "Anonymous": _ACCESS,
    "OIDC": _ACCESS,
    "Mellon": _ACCESS,
    "Krb": _ACCESS,
    "Gssapi": _ACCESS,
    "Session": "sessions are the programs' own: Accept-HTSession",
    "DAV": "files cannot be changed through the gateway: run a WebDAV server",
    "DBD": "there are no databases but those of the programs",
    "php_": "PHP runs as a CGI program here: give php-cgi its settings in php.ini",
    "Perl": _OTHERS,
    "Lua": _OTHERS,
    "WSGI": _OTHERS,
    "Passenger": _OTHERS,
    "Fcgid": _OTHERS,
    "FastCgi": _OTHERS,
    "Jk": _OTHERS,
    "MD": "give certificates with SSLCertificateFile, renewed by certbot or another client",
}
_SECTIONS = {
    "expressions are not evaluated: use <Location>, <Files>, <IfDefine> or SetEnvIf": "If ElseIf Else",
    _PROXY: "Proxy ProxyMatch",
    _ACCESS: "AuthnProviderAlias AuthzProviderAlias",
    "write the lines out": "Macro",
    _OTHERS: "Perl PerlSections",
}


class Refusal(NamedTuple):
    """A name, in its usual letters, and what to do instead."""

    name: str
    instead: str


def _table(groups: dict[str, str]) -> dict[str, Refusal]:
    return {name.lower(): Refusal(name, text) for text, names in groups.items() for name in names.split()}


REFUSED = _table(_NAMES)
REFUSED_SECTIONS = _table(_SECTIONS)
REFUSED_PREFIXES = tuple(Refusal(prefix, text) for prefix, text in _PREFIXES.items())


def _words(*names: str) -> str:
    one = "|".join(names)
    return rf"({one})( ({one}))*"


_COMPRESSION = r"(deflate|brotli_compress)([ ;](deflate|brotli_compress))*"
_VERSIONS = _words(r"-sslv[23]", r"-tlsv1", r"-tlsv1\.1", r"\+?tlsv1\.[23]")
_HARMLESS = {
    "off": "AliasPreservePath RewriteEngine CheckSpelling CheckCaseOnly DirectoryIndexRedirect ExpiresActive "
    "CookieTracking XBitHack ModMimeUsePathInfo AuthzSendForbiddenOnFailure AuthBasicUseDigestAlgorithm "
    "AuthBasicFake ProfileToken StrictHostCheck RemoteIPProxyProtocol ProxyRequests ProxyVia SSLProxyEngine "
    "SSLFIPS SSLOCSPEnable SSLFakeBasicAuth SSLInsecureRenegotiation SSLStrictSNIVHostCheck",
    "on": "DirectorySlash MergeSlashes AuthBasicAuthoritative AuthAuthoritative AuthDefaultAuthoritative "
    "AuthzDefaultAuthoritative AuthzUserAuthoritative AuthzGroupFileAuthoritative AuthzOwnerAuthoritative "
    "AuthzHostAuthoritative AsAuthAuthoritative",
    "disabled": "UserDir FallbackResource",
    "none": "AllowOverrideList SSLVerifyClient",
    "none( .*)?": "SSLCARevocationCheck",
    "none|0|off": "SSLClientAuth",
    "reset": "AllowMethods",
    ".*": "SSLVerifyDepth SSLCipherSuite SSLCipherSpec SSLCipherBan ProxyTimeout SSLProxyCipherSuite "
    "SSLProxyProtocol SSLProxyVerify SSLProxyCheckPeerCN SSLProxyCheckPeerExpire SSLProxyCheckPeerName",
    "unset proxy( early)?": "RequestHeader",
    "request_uri original-uri": "CGIVar",
    f"none|{_COMPRESSION}": "SetOutputFilter SetInputFilter",
    f"{_COMPRESSION} .*": "AddOutputFilter AddOutputFilterByType",
    _words("none", "fileinfo", "indexes", r"options(=\S*)?", r"nonfatal=\S+"): "AllowOverride",
    _words(
        "[+-]?stdenvvars", "[+-]?optrenegotiate", "[+-]?exportcertdata", "[+-]?legacydnstringformat"
    ): "SSLOptions",
    rf"(-all )?(all|\+?tlsv1\.2)( {_VERSIONS})?": "SSLVersion",
}
HARMLESS = {name.lower(): pattern for pattern, names in _HARMLESS.items() for name in names.split()}


def refusal(name: str) -> Refusal | None:
    """What to do instead of a directive; None for one that is not refused in particular."""
    lowered = name.lower()
    found = REFUSED.get(lowered)
    return found or next((one for one in REFUSED_PREFIXES if lowered.startswith(one.name.lower())), None)


def harmless(name: str, arguments: str) -> bool:
    """True if a refused directive asks here for nothing beyond what is done anyway."""
    pattern = HARMLESS.get(name.lower())
    return pattern is not None and re.fullmatch(pattern, " ".join(arguments.lower().split())) is not None
