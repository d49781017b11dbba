/** The commands for what Services left in the kernel: `proxy cleanup`. */
import { Option } from "commander"
import { type Declare, dataDir, examples, output, proxyModes, type Start } from "./shared.ts"

export const declareProxy = (command: Declare, start: Start): void => {
  const proxy = command("proxy", "what Services need in the kernel: take it out again")
  const cleanup = proxy
    .command("cleanup")
    .description("remove everything that any mode ever put into the kernel for Services")
    .helpOption("-h, --help", "print this help")
    .addOption(
      new Option(
        "--proxy-mode <mode>",
        "of this mode alone (default: nftables and ipvs, and iptables where the journal says it was used)"
      ).choices(proxyModes)
    )
    .option("--proxy-config <file>", "KubeProxyConfiguration that was used: its ipvs.excludeCIDRs are left alone")
    .option("--dataplane-name <name>", "name of what is ours in the kernel (default chronode)")
    .option("--force", "also while an agent runs on the data directory, which puts back what it needs")
    .addOption(output("text", "json"))
    .addOption(dataDir())
    .action((flags) => start(() => import("../proxy/cleanup.ts"), flags))
  examples(
    cleanup,
    ["chronode proxy cleanup", "after the agent was stopped for good"],
    ["chronode proxy cleanup --proxy-mode iptables", "kube-proxy's chains, whoever made them"],
    ["chronode proxy cleanup -o json", "for a program"]
  ).addHelpText("after", "\nExit code 1: something could not be removed, or an agent is running.")
  examples(proxy, ["chronode proxy cleanup", "remove what Services left in the kernel"])
}
