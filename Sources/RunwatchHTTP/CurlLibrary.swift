import CCurl

/// What there is to know of libcurl as a whole.
enum CurlLibrary {
    /// Whether the library could be set up; the first look sets it up, once, whichever thread looks.
    static let isReady: Bool = runwatch_curl_global_init() == CURLE_OK

    /// Whether answers may come compressed.
    ///
    /// Only the kinds that zlib reads are asked for: their window is 32 KiB, while a hostile answer in
    /// another format could ask for 128 MiB of memory for each connection.
    static let readsGzip: Bool = {
        guard isReady, let version = runwatch_curl_version() else { return false }
        return version.pointee.features & CURL_VERSION_LIBZ != 0
    }()

    /// The file of the system's certificates, as libcurl was built; `nil` when it was built with a
    /// folder alone.
    static let systemCAFile: String? = {
        guard isReady, let version = runwatch_curl_version(),
            let file = version.pointee.cainfo
        else { return nil }
        return String(cString: file)
    }()

    /// The folder of the system's certificates, as libcurl was built.
    static let systemCAFolder: String? = {
        guard isReady, let version = runwatch_curl_version(),
            let folder = version.pointee.capath
        else { return nil }
        return String(cString: folder)
    }()

    /// `CURLE_TOO_LARGE`, which headers before 8.6 do not name.
    static let tooLarge = CURLcode(rawValue: 100)

    static func text(_ code: CURLcode) -> String {
        String(cString: curl_easy_strerror(code))
    }
}
