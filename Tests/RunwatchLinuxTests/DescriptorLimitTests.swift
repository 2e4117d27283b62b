import Glibc
import RunwatchLinux
import Testing

@Suite struct DescriptorLimitTests {
    private func softLimit() -> Int {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_cur)
    }

    @Test func `a program gets the limit that is wanted for it, and ours stays`() async {
        let runner = ProgramRunner()
        let before = softLimit()
        var program = ChildProgram.shell("ulimit -Sn; ulimit -Hn")
        program.descriptors = 300
        let words = await runner.run(program).text.split(separator: "\n")
        #expect(words.first == "300")
        #expect(words.last != "300")
        #expect(softLimit() == before)
        await runner.close()
    }

    @Test func `a limit above what is allowed is what is allowed`() async {
        let runner = ProgramRunner()
        var program = ChildProgram.shell("test $(ulimit -Sn) = $(ulimit -Hn) && echo same")
        program.descriptors = .max
        #expect(await runner.run(program).text == "same\n")
        await runner.close()
    }

    @Test func `raising goes to the hard limit, and programs get the old one`() async {
        await #expect(processExitsWith: .success) {
            let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
            var limit = rlimit()
            getrlimit(files, &limit)
            let hard = Int(clamping: limit.rlim_max)
            limit.rlim_cur = 256
            setrlimit(files, &limit)
            for _ in 0..<2 { #expect(DescriptorLimit.raise() == min(hard, 65_536)) }
            let runner = ProgramRunner()
            #expect(await runner.run(.shell("ulimit -Sn")).text == "256\n")
            await runner.close()
        }
    }
}
