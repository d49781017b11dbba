/** Upstream tests whose rows are packets. */
export const traced = [
  "TestNoEndpointsReject",
  "TestClusterIPGeneral",
  "TestLoadBalancer",
  "TestNodePorts",
  "TestHealthCheckNodePort",
  "TestExternalTrafficPolicyLocal",
  "TestExternalTrafficPolicyCluster",
  "TestInternalTrafficPolicy",
  "TestTerminatingEndpointsTrafficPolicyLocal",
  "TestTerminatingEndpointsTrafficPolicyCluster",
  "TestInternalExternalMasquerade"
]

export const sorted = (output: string): string => output.split(", ").sort().join(", ")
