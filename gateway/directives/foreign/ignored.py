"""What real Apache and IBM i files hold that has no effect here: accepted, with one notice each (spec 3).

Only what costs nobody anything but speed or looks stands here; what would be missed, or guards something, is in
`refused`.
"""

from __future__ import annotations

_REASONS = {
    "the gateway's processes are not Apache's worker processes or threads": (
        "AcceptMutex AsyncRequestWorkerFactor ListenBackLog ListenCoresBucketsRatio MaxClients "
        "MaxConnectionsPerChild MaxMemFree MaxRequestsPerChild MaxRequestsPerThread MaxRequestWorkers "
        "MaxSpareServers MaxSpareThreads MinSpareServers MinSpareThreads Mutex ServerLimit StartServers "
        "StartThreads ThreadLimit ThreadsPerChild ThreadStackSize WatchdogInterval EnableExceptionHook "
        "AcceptThreads"
    ),
    "CGI programs are started by the keeper, not by Apache's daemon": "ScriptSock",
    "SuexecUserGroup does not need it": "Suexec",
    "the gateway keeps no such file": (
        "PidFile DefaultRuntimeDir LockFile ScoreBoardFile CoreDumpDirectory GprofDir"
    ),
    "there are no .htaccess files": "AccessFileName",
    "names of clients are not looked up": "HostnameLookups IdentityCheck IdentityCheckTimeout",
    "clients are told nothing about the gateway's version": "ServerSignature ServerTokens AddServerHeader",
    "the method TRACE is not served": "TraceEnable",
    "programs get the name by which their host was called, and the real port": (
        "UseCanonicalName UseCanonicalPhysicalPort"
    ),
    "virtual hosts are always chosen by name among those of an address": "NameVirtualHost",
    "how files are marked is not adjustable": "ContentDigest FileETag",
    "folders are not listed": (
        "AddAlt AddAltByEncoding AddAltByType AddDescription AddIcon AddIconByEncoding AddIconByType "
        "AlwaysDirectoryIndex DefaultIcon HeaderName IconPath IndexHeadInsert IndexIgnore IndexIgnoreReset "
        "IndexOptions IndexOrderDefault IndexStyleSheet ReadmeName"
    ),
    "no content is chosen by language, charset or encoding": (
        "AddCharset AddDefaultCharset AddEncoding AddLanguage CacheNegotiatedDocs DefaultLanguage "
        "ForceLanguagePriority LanguagePriority MultiviewsMatch RemoveCharset RemoveEncoding RemoveLanguage"
    ),
    "types come from AddType and a built-in table, by extension": (
        "DefaultType MimeMagicFile TypesConfig DirectoryCheckHandler"
    ),
    "responses are not compressed": (
        "BrotliAlterETag BrotliCompressionMaxInputBlock BrotliCompressionQuality BrotliCompressionWindow "
        "BrotliFilterNote BrotliWindowSize DeflateAlterETag DeflateBufferSize DeflateCompressionLevel "
        "DeflateFilterNote DeflateInflateLimitRequestBody DeflateInflateRatioBurst DeflateInflateRatioLimit "
        "DeflateMemLevel DeflateWindowSize FilterTrace"
    ),
    "nothing is kept in a cache": (
        "CacheDefaultExpire CacheDetailHeader CacheDirLength CacheDirLevels CacheDisable CacheEnable CacheFile "
        "CacheHeader CacheIgnoreCacheControl CacheIgnoreHeaders CacheIgnoreNoLastMod CacheIgnoreQueryString "
        "CacheIgnoreURLSessionIdentifiers CacheKeyBaseURL CacheLastModifiedFactor CacheLocalFile "
        "CacheLocalFileMmap CacheLocalFilePublic CacheLocalFileSizeLimit CacheLocalSizeLimit CacheLock "
        "CacheLockMaxAge CacheLockPath CacheMaxExpire CacheMaxFileSize CacheMinExpire CacheMinFileSize "
        "CacheQuickHandler CacheReadSize CacheReadTime CacheRoot CacheSocache CacheSocacheMaxSize "
        "CacheSocacheMaxTime CacheSocacheMinTime CacheSocacheReadSize CacheSocacheReadTime "
        "CacheStaleOnError CacheStoreExpired CacheStoreNoStore CacheStorePrivate DynamicCache "
        "FRCACustomLog FRCAEnableFileCache FRCAEnableProxy LiveLocalCache MMapFile"
    ),
    "verified passwords are remembered in memory": (
        "AuthnCacheContext AuthnCacheEnable AuthnCacheProvideFor AuthnCacheSOCache AuthnCacheTimeout"
    ),
    "there is no directory service to ask": (
        "LDAPCacheEntries LDAPCacheTTL LDAPConnectionPoolTTL LDAPConnectionTimeout LDAPOpCacheEntries "
        "LDAPOpCacheTTL LDAPRetries LDAPRetryDelay LDAPSharedCacheFile LDAPSharedCacheSize LDAPTimeout"
    ),
    "HTTP/1.1 is what is spoken": (
        "Protocol Protocols ProtocolsHonorOrder H2CopyFiles H2Direct H2EarlyHints H2MaxSessionStreams "
        "H2MaxWorkerIdleSeconds H2MaxWorkers H2MinWorkers H2ModernTLSOnly H2OutputBuffering H2Padding H2Push "
        "H2PushDiarySize H2PushPriority H2PushResource H2SerializeHeaders H2StreamMaxMemSize "
        "H2TLSCoolDownSecs H2TLSWarmUpSize H2Upgrade H2WindowSize"
    ),
    "requests are read strictly as HTTP says": "HttpProtocolOptions MergeTrailers RegisterHttpMethod",
    "the operating system decides how data is sent": (
        "AcceptFilter EnableMMAP EnableSendfile FlushMaxPipelined FlushMaxThreshold ReadBufferSize "
        "ReceiveBufferSize SendBufferSize UseShutdown BufferSize KeptBodySize"
    ),
    "encoded slashes are decoded in path info and not found before it": "AllowEncodedSlashes",
    "local redirects have a fixed limit": "LimitInternalRecursion",
    "no body is read as XML": "LimitXMLRequestBody",
    "ranges are served as they are asked for": "MaxRangeOverlaps MaxRangeReversals MaxRanges",
    "redirects name the path alone, or the whole URL that was written": "RedirectRelative QualifyRedirectURL",
    "the status page always tells what there is": "ExtendedStatus SeeRequestTail ProxyStatus",
    "the settings are printed by gateway dump": "AddModuleInfo",
    "the lines of the logs have fixed formats and are written at once": (
        "BufferedLogs ErrorLogFormat LogIOTrackTTFB LogMessage DumpIOInput DumpIOOutput"
    ),
    "modules are built in": "AddModule ClearModuleList LoadFile",
    "the file's first line names the interpreter": "ScriptInterpreterSource CGIMapExtension",
    "text is never converted: programs and clients use the same bytes": (
        "CGIConvMode CGIJobCCSID DefaultFsCCSID DefaultNetCCSID"
    ),
    "programs take their locale from SetEnv (LANG, LC_ALL)": "CGIJobLocale",
    "every program is a process of its own": "CGIMultiThreaded MaxThreadedCGIJobs StartThreadedCGI",
    "there is no job that could be given a URL before its first request": "CgiInitialUrl",
    "programs run as the user of the gateway, or as User, Group and SuexecUserGroup say": "UserID ServerUserID",
    "the restart after a crash is built in": "HotBackup",
    "there are no subsystems and job queues": (
        "HTTPRoutingData HTTPStartJobDesc HTTPStartJobQueue HTTPSubsystemDesc"
    ),
    "sessions live on one machine": (
        "HAModel LmExitProgram LmIntervalTime LmMaxReactivation LmResponseTime LmUrlCheck LmUrlCheckBackup"
    ),
    "log files are rotated and removed by other tools (logrotate, then USR1)": (
        "LogCycle LogLength LogMaint LogMaintHour"
    ),
    "the logs have one format of time": "LogTime",
    "paths are compared with their letter case": "RuleCaseSense",
    "there is no such report": "ReportInterval",
    "the TLS library chooses": (
        "SSLCacheDisable SSLCacheEnable SSLCryptoDevice SSLFallbackProtection SSLHandshakeTimeout "
        "SSLHonorCipherOrder SSLRandomSeed SSLRenegBufferSize SSLRenegotiation SSLSessionCache "
        "SSLSessionCacheTimeout SSLSessionTicketKeyFile SSLSessionTickets SSLUseStapling SSLStaplingCache "
        "SSLV2Timeout SSLV3Timeout SSLCompression SSLStaplingResponseTimeSkew SSLStaplingResponderTimeout "
        "SSLStaplingStandardCacheTimeout SSLStaplingErrorCacheTimeout SSLStaplingFakeTryLater "
        "SSLStaplingReturnResponderErrors"
    ),
    "a key with a pass phrase is an error at load": "SSLPassPhraseDialog",
    "TLS is off unless SSLEngine turns it on": "SSLDisable",
}
IGNORED = {name.lower(): (name, reason) for reason, names in _REASONS.items() for name in names.split()}
