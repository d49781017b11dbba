/** The agent itself, and the commands that tell of the program: `run`, `schema`, `doctor`. */
import { Option } from "commander"
import { type Declare, dataDir, examples, natsOptions, output, proxyModes, type Start, withOptions } from "./shared.ts"

/** What is said of Services, to the agent and to who looks whether it could serve them. */
const servicesOptions = (): ReadonlyArray<Option> => [
  new Option(
    "--services <dir>",
    "directory of Services and EndpointSlices (YAML or JSON) that are served on this node"
  ),
  new Option("--proxy-config <file>", "KubeProxyConfiguration, plain or in a ConfigMap; flags win over it"),
  new Option("--proxy-mode <mode>", "how Services are put into the kernel (default nftables)").choices(proxyModes),
  new Option("--proxy-mode-fallback <mode>", "what is taken where the kernel cannot do that (default: none)").choices(
    proxyModes
  ),
  new Option(
    "--healthz-bind-address <address>",
    'of /healthz and /livez beside Services; "": none (default 0.0.0.0:10256)'
  ),
  new Option("--metrics-bind-address <address>", 'of /metrics beside Services; "": none (default 127.0.0.1:10249)')
]

/** What is said of the HTTP API, to the agent and to who looks whether it could be served. */
const apiOptions = (): ReadonlyArray<Option> => [
  new Option(
    "--api-port <port>",
    "port of the HTTP API by TLS; 0: none (default: 10250 beside a KubeletConfiguration, else none)"
  ),
  new Option("--token-auth-file <file>", 'tokens of the HTTP API: lines of token,user,uid,"group,…"; mode 0600'),
  new Option("--authorization-policy-file <file>", "NodeApiPolicy: who may do what through the HTTP API"),
  new Option(
    "--authentication-kubeconfig <file>",
    "API server that is asked for tokens and rights of those who use the HTTP API (default: none)"
  )
]

export const declareAgent = (command: Declare, start: Start): void => {
  const run = command("run", "run the agent: pods from manifests, events to the journal and to NATS")
    .option("--manifests <dir>", "directory of pod manifests (YAML or JSON)")
    .option("--config <file>", "KubeletConfiguration or ChronodeConfiguration; flags win over it")
    .option("--cri <socket>", "container runtime (default unix:///run/containerd/containerd.sock)")
    .addOption(new Option("--no-nats", "do not publish events"))
  withOptions(run, [...natsOptions(), ...servicesOptions(), ...apiOptions()])
    .addOption(
      new Option("--data-dir <dir>", "where the journal and volumes are kept (default /var/lib/chronode)").env(
        "CHRONODE_DATA_DIR"
      )
    )
    .option("--node-name <name>", "name of this node (default: the host's name in lower case)")
    .option("--pod-logs-dir <dir>", "where containers' logs are written (default /var/log/pods)")
    .option(
      "--container-logs-dir <dir>",
      "where a link to each log is made (default /var/log/containers beside /var/log/pods)"
    )
    .option(
      "--cgroup-root <path>",
      "cgroup below which those of pods are made (default: the root; or --config's cgroupRoot)"
    )
    .option(
      "--registry-config <file>",
      "credentials of registries, as docker's config.json; none (default: config.json of the data directory, ~/.docker or /.docker)"
    )
    .option("--image-credential-provider-config <path>", "CredentialProviderConfig of kubelet: a file or a directory")
    .option("--image-credential-provider-bin-dir <dir>", "where the programs of credential providers are")
    .option(
      "--service-cluster-ip-range <cidrs>",
      "where Services without a cluster IP get theirs: a CIDR, or one of each family (default 10.96.0.0/12)"
    )
    .option("--service-node-port-range <range>", "where node ports come from that nobody gave (default 30000-32767)")
    .option("--zone <zone>", "zone of this node, for hints of endpoints and trafficDistribution (default: none)")
    .option("--dataplane-name <name>", "name of what is ours in the kernel (default chronode)")
    .addOption(
      new Option("--recording <mode>", "events; or inputs too, for exact what-if runs (default events)").choices([
        "events",
        "inputs"
      ])
    )
    .addOption(
      new Option("--durability <mode>", "fsync before each effect, or in intervals (default always)").choices([
        "always",
        "interval"
      ])
    )
    .option("--stream-max-age <time>", "oldest event that a new stream keeps; 0: for ever (default 7d)")
    .option("--stream-max-bytes <bytes>", "size of a new stream; -1: no limit (default 512Mi)")
    .option("--stream-replicas <n>", "replicas of a new stream (default 1)")
    .option("--retention-max-age <time>", "oldest published event that the journal keeps; 0: for ever (default 7d)")
    .option("--retention-max-bytes <bytes>", "size of the journal's published part; 0: no limit (default 1Gi)")
    .option(
      "--otlp <url>",
      "send traces, metrics and logs to an OpenTelemetry collector, OTLP/HTTP (OTEL_EXPORTER_OTLP_ENDPOINT; default: none)"
    )
    .addOption(
      new Option("--log-format <format>", "of the agent's log on stderr (default text)").choices(["text", "json"])
    )
    .addOption(
      new Option("--log-level <level>", "least level that is logged (default info)").choices([
        "trace",
        "debug",
        "info",
        "warn",
        "error"
      ])
    )
    .action((flags) => start(() => import("../run.ts"), flags))
  examples(
    run,
    ["chronode run --manifests /etc/kubernetes/manifests", "with containerd and NATS at their usual places"],
    ["chronode run --manifests ./pods --no-nats --data-dir /tmp/c", "without NATS"],
    ["chronode run --manifests ./pods --services ./services", "and Services in front of the pods"],
    ["chronode run --config /var/lib/kubelet/config.yaml", "what a kubelet on this node was told"],
    ["chronode run --manifests ./pods --nats tls://hub:4222 --creds node.creds", "another NATS, with credentials"]
  ).addHelpText(
    "after",
    "\nSIGTERM and SIGINT stop the agent in good order; containers run on, and the next start takes them over."
  )
}

export const declareTools = (command: Declare, start: Start): void => {
  const schema = command("schema", "print the JSON Schema (2020-12) of one event or of the whole catalogue")
    .argument("[type]", "event type: ContainerExited or dev.chronode.ContainerExited.v1")
    .option("--asyncapi", "print an AsyncAPI 3.0 document instead: subjects, messages, schemas")
    .addOption(output("json"))
    .action((type, flags) => start(() => import("../schema.ts"), flags, type))
  examples(
    schema,
    ["chronode schema ContainerExited", "one event, with its envelope"],
    ["chronode schema > events.schema.json", "all of them"],
    ["chronode schema --asyncapi > asyncapi.json", "for the tools of asyncapi.com: what is published on which subject"]
  )

  const doctor = command("doctor", "check what the agent needs on this machine, and say how to mend what is missing")
    .option("--cri <socket>", "container runtime", "unix:///run/containerd/containerd.sock")
    .option("--config <file>", "KubeletConfiguration and/or ChronodeConfiguration that an agent is to be started with")
    .option("--no-nats", "do not look for NATS")
  withOptions(doctor, [...natsOptions(), ...servicesOptions(), ...apiOptions()])
    .addOption(dataDir())
    .option("--cni-conf-dir <dir>", "where the runtime finds its network configuration", "/etc/cni/net.d")
    .option("--cni-bin-dir <dir>", "where the runtime finds its network plugins (default /opt/cni/bin, /usr/lib/cni)")
    .addOption(output("text", "json"))
    .action((flags) => start(() => import("../doctor.ts"), flags))
  examples(
    doctor,
    ["chronode doctor", "everything"],
    ["chronode doctor --proxy-mode ipvs", "what Services by IPVS would lack here"],
    ["chronode doctor --config /var/lib/kubelet/config.yaml", "what is wrong with it, or not acted on"],
    ["chronode doctor --proxy-config kube-proxy.yaml", "what is wrong with it, or not acted on"],
    ["chronode doctor --no-nats -o json", "for a program"]
  )
}
