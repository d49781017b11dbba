/** tlsCipherSuites and tlsMinVersion of a KubeletConfiguration, in the words of the TLS library. Pure. */

/** IANA's names, as Go has them (`crypto/tls`), to OpenSSL's. Suites of TLS 1.3 cannot be chosen, as in Go. */
const suites: Readonly<Record<string, string>> = {
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "ECDHE-ECDSA-AES128-GCM-SHA256",
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: "ECDHE-RSA-AES128-GCM-SHA256",
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: "ECDHE-ECDSA-AES256-GCM-SHA384",
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: "ECDHE-RSA-AES256-GCM-SHA384",
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: "ECDHE-ECDSA-CHACHA20-POLY1305",
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-ECDSA-CHACHA20-POLY1305",
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: "ECDHE-RSA-CHACHA20-POLY1305",
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-RSA-CHACHA20-POLY1305",
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: "ECDHE-ECDSA-AES128-SHA",
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: "ECDHE-RSA-AES128-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: "ECDHE-ECDSA-AES256-SHA",
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: "ECDHE-RSA-AES256-SHA",
  TLS_RSA_WITH_AES_128_GCM_SHA256: "AES128-GCM-SHA256",
  TLS_RSA_WITH_AES_256_GCM_SHA384: "AES256-GCM-SHA384",
  TLS_RSA_WITH_AES_128_CBC_SHA: "AES128-SHA",
  TLS_RSA_WITH_AES_256_CBC_SHA: "AES256-SHA"
}

export interface CipherChoice {
  /** For the library; undefined: its own choice. */
  readonly ciphers: string | undefined
  /** Names that no library here knows: these are left out. */
  readonly unknown: ReadonlyArray<string>
}

export const cipherChoice = (names: ReadonlyArray<string>): CipherChoice => {
  const known = names.flatMap((name) => suites[name] ?? [])
  return {
    ciphers: known.length === 0 ? undefined : known.join(":"),
    unknown: names.filter((name) => suites[name] === undefined)
  }
}

/** `VersionTLS12`, `VersionTLS13`; older ones are not spoken. */
export const minTlsVersion = (name: string): "TLSv1.2" | "TLSv1.3" => (name === "VersionTLS13" ? "TLSv1.3" : "TLSv1.2")
