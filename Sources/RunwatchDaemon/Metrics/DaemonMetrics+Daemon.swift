import RunwatchControl
import RunwatchCore
import RunwatchLinux
import RunwatchStore

extension DaemonMetrics {
    static func store(_ snapshot: MetricsSnapshot) -> [MetricFamily] {
        var commits = MetricFamily(
            "runwatch_store_commit_duration_seconds", .histogram, unit: "seconds",
            help: "How long COMMIT took, until all was on disk.")
        commits.add([], snapshot.store.commits)
        var changes = MetricFamily(
            "runwatch_store_commit_changes", .histogram,
            help: "How many changes were written together.")
        changes.add([], snapshot.store.changes)
        return [
            commits, changes,
            one(
                snapshot.store.failures,
                MetricFamily(
                    "runwatch_store_failed_transactions", .counter,
                    help: "Transactions that could not be written, and are tried again.")),
            one(
                snapshot.database.pendingChanges,
                MetricFamily(
                    "runwatch_store_pending_changes", .gauge,
                    help: "Changes that are not on disk yet.")),
            one(
                snapshot.database.isWritable ? 1 : 0,
                MetricFamily(
                    "runwatch_store_writable", .gauge,
                    help: "0 while the database cannot be written, else 1.")),
            one(
                snapshot.database.size,
                MetricFamily(
                    "runwatch_store_database_size_bytes", .gauge, unit: "bytes",
                    help: "The size of the database's file.")),
            one(
                snapshot.database.logSize,
                MetricFamily(
                    "runwatch_store_log_size_bytes", .gauge, unit: "bytes",
                    help: "The size of the write-ahead log's file, which keeps its size.")),
        ]
    }

    static func daemon(_ snapshot: MetricsSnapshot) -> [MetricFamily] {
        var build = MetricFamily(
            "runwatch_build", .info, labels: ["version"], help: "The version that is running.")
        build.add([RunwatchVersion.text], 1)
        return configuration(snapshot) + [
            each(
                EventType.all.filter { $0 != .receiverTest },
                MetricFamily(
                    "runwatch_events", .counter, labels: ["type"],
                    help: "Events that were recorded.")
            ) { $0.add([$1.name], snapshot.events[$1.name] ?? 0) },
            each(
                snapshot.requests,
                MetricFamily(
                    "runwatch_control_requests", .counter, labels: ["route", "status"],
                    help: "Requests to the API that were answered.")
            ) { $0.add([$1.key.route, String($1.key.status)], $1.requests) },
            one(
                snapshot.streams,
                MetricFamily(
                    "runwatch_event_streams_open", .gauge,
                    help: "Clients that follow events live.")),
            build,
        ]
    }

    /// Named as Prometheus names its own.
    private static func configuration(_ snapshot: MetricsSnapshot) -> [MetricFamily] {
        [
            one(
                snapshot.isConfigurationOK ? 1 : 0,
                MetricFamily(
                    "runwatch_config_last_reload_successful", .gauge,
                    help: "0 when the files hold a configuration that could not be taken up.")),
            one(
                snapshot.configurationLoadedAt.map { Double($0.milliseconds) / 1000 },
                MetricFamily(
                    "runwatch_config_last_reload_success_timestamp_seconds", .gauge,
                    unit: "seconds", help: "When the configuration in force was loaded.")),
        ]
    }

    /// Named as Prometheus' own libraries name them.
    static func process(_ snapshot: MetricsSnapshot) -> [MetricFamily] {
        let process = snapshot.process
        return [
            one(
                process?.cpuSeconds,
                MetricFamily(
                    "process_cpu_seconds", .counter, unit: "seconds",
                    help: "Processor time used, in user and system mode.")),
            one(
                process?.residentBytes,
                MetricFamily(
                    "process_resident_memory_bytes", .gauge, unit: "bytes",
                    help: "Memory that is in use.")),
            one(
                process?.virtualBytes,
                MetricFamily(
                    "process_virtual_memory_bytes", .gauge, unit: "bytes",
                    help: "Memory that is addressed.")),
            one(
                process?.openDescriptors,
                MetricFamily("process_open_fds", .gauge, help: "Open file descriptors.")),
            one(
                process?.maximumDescriptors,
                MetricFamily(
                    "process_max_fds", .gauge, help: "The limit of open file descriptors.")),
            one(
                process?.threads,
                MetricFamily("process_threads", .gauge, help: "Threads.")),
            one(
                Double(snapshot.startedAt.milliseconds) / 1000,
                MetricFamily(
                    "process_start_time_seconds", .gauge, unit: "seconds",
                    help: "When the process began, in seconds since 1970.")),
        ]
    }
}
