import Foundation
import RunwatchCore
import RunwatchHTTP
import TestSupport
import Testing

/// TLS against the `openssl` program, with certificates made for the test.
@Suite(.timeLimit(.minutes(2)), .enabled(if: OpenSSLServer.isInstalled)) struct CurlTLSTests {
    let fixture = CurlTransportFixture()

    @Test func `a private CA is trusted only where it is named`() async throws {
        let server = try await OpenSSLServer(asksForCertificate: false)
        let request = HTTPRequest(method: .get, url: server.url)
        let options = HTTPConnectionOptions(caFile: server.file("ca.pem"))
        #expect(await fixture.send(request, options: options).status == 200)
        // Neither before nor after another peer's CA was set.
        #expect(await fixture.send(request).failure?.code == .connect)
        let wrong = HTTPConnectionOptions(caFile: server.file("client.pem"))
        #expect(await fixture.send(request, options: wrong).failure?.code == .connect)
        #expect(await fixture.send(request, options: options).status == 200)
    }

    @Test func `a name that the certificate does not have is refused`() async throws {
        let server = try await OpenSSLServer(asksForCertificate: false)
        let url = server.url.replacing("localhost", with: "127.0.0.1")
        let options = HTTPConnectionOptions(caFile: server.file("ca.pem"))
        let outcome = await fixture.send(HTTPRequest(method: .get, url: url), options: options)
        #expect(outcome.failure?.code == .connect)
    }

    @Test func `a client certificate is shown to who asks for it`() async throws {
        let server = try await OpenSSLServer(asksForCertificate: true)
        let request = HTTPRequest(method: .get, url: server.url)
        var options = HTTPConnectionOptions(caFile: server.file("ca.pem"))
        #expect(await fixture.send(request, options: options).failure != nil)
        options.certFile = server.file("client.pem")
        options.keyFile = server.file("client.key")
        #expect(await fixture.send(request, options: options).status == 200)
        #expect(
            try HTTPBlockingClient(options: options).perform(request).status == 200)
    }

    @Test func `mail goes over TLS, to who is trusted alone`() async throws {
        // All replies of a session at once: each waits until it is due.
        let replies = ["220 mx", "250 mx", "250 Ok", "250 Ok", "354 go", "250 queued as 1A", "221"]
        let server = try await OpenSSLServer(
            asksForCertificate: false, says: replies.joined(separator: "\n") + "\n")
        let mail = MailRequest(
            url: server.url.replacing("https", with: "smtps"), from: "a@example.com",
            recipients: ["b@example.com"], message: Array("Subject: x\r\n\r\nhi\r\n".utf8),
            timeout: .seconds(20))
        let trusting = MailFixture(options: HTTPConnectionOptions(caFile: server.file("ca.pem")))
        #expect(await trusting.send(mail).reply?.text == "queued as 1A")
        #expect(await MailFixture().send(mail).failure?.code == .connect)
        var other = mail
        other.url = mail.url.replacing("localhost", with: "127.0.0.1")
        #expect(await trusting.send(other).failure?.code == .connect)
    }
}

/// `openssl s_server` on a port of its own; ends with the value.
private final class OpenSSLServer {
    static let program = "/usr/bin/openssl"
    static let isInstalled = FileManager.default.isExecutableFile(atPath: program)

    private(set) var url = ""
    private let folder = TemporaryFolder()
    private let process = Process()

    /// - Parameter words: What the first peer is told, whatever it says; `nil` for a page of HTTP.
    init(asksForCertificate: Bool, says words: String? = nil) async throws {
        folder.write("names.ext", "subjectAltName=DNS:localhost\n")
        func run(_ arguments: String) throws {
            let process = Process()
            process.executableURL = URL(filePath: Self.program)
            process.arguments = arguments.split(separator: " ").map(String.init)
            process.currentDirectoryURL = URL(filePath: folder.path)
            process.standardError = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0, "openssl \(arguments)")
        }
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        try run("req -x509 \(key) -keyout ca.key -out ca.pem -subj /CN=test-ca -days 2")
        for name in ["server", "client"] {
            try run("req \(key) -keyout \(name).key -out \(name).csr -subj /CN=\(name)")
            try run(
                "x509 -req -in \(name).csr -CA ca.pem -CAkey ca.key -CAcreateserial"
                    + " -out \(name).pem -days 2 -extfile names.ext")
        }
        let output = folder.write("output", "")
        process.executableURL = URL(filePath: Self.program)
        process.currentDirectoryURL = URL(filePath: folder.path)
        // Port 0: the program says which one it got.
        process.arguments =
            ["s_server", "-accept", "0", "-cert", "server.pem", "-key", "server.key"]
            + (words == nil ? ["-www"] : ["-crlf"])
            + (asksForCertificate
                ? ["-Verify", "1", "-CAfile", "ca.pem", "-verify_return_error"] : [])
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = FileHandle.nullDevice
        let input = Pipe()
        process.standardInput = input
        if let words { input.fileHandleForWriting.write(Data(words.utf8)) }
        try process.run()
        while url.isEmpty {
            try await Task.sleep(for: .milliseconds(5))
            let lines = try String(contentsOfFile: output, encoding: .utf8)
            for line in lines.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            where line.hasPrefix("ACCEPT") {
                url = "https://localhost:\(line.split(separator: ":").last ?? "")/"
            }
        }
    }

    deinit {
        // Dispatch's threads block the signals that can be blocked, and a program started there inherits that.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    func file(_ name: String) -> String { folder.path(name) }
}
