/** A chain that has a Portal Network. */
export type NetworkName = 'mainnet' | 'sepolia' | 'hoodi'

/** What a node must know of the Portal Network of one chain. */
export interface PortalNetwork {
  /** Names the content database in a data directory, so a block number of one chain never serves content of another. */
  readonly name: string
  /** EIP-155; part of the node record, so peers of other chains keep apart. */
  readonly chainId: bigint
  /** Records (`enr:...`) of nodes to join through. */
  readonly bootnodes: readonly string[]
  /** The hash of block 0, by which a header source of another chain is recognized. Undefined: not checked. */
  readonly genesisHash?: string | undefined
}

/**
 * The networks that this package knows. Their bootstrap nodes are those of portal-network-specs, bootnodes.md; only
 * mainnet has any.
 */
export const NETWORKS: Readonly<Record<NetworkName, PortalNetwork>> = {
  mainnet: {
    name: 'mainnet',
    chainId: 1n,
    genesisHash: '0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3',
    bootnodes: [
      'enr:-Iu4QCV0e-_1Uw7p5mwRgx02z2zxnCGXCrWaBZspT0bZT6kcdA9nkWTHRsz2zt09SB2QJ46qhNjOKzQPMcz6MH1pq3MLY26CaWSCdjSCaXCEwiErIHDDAgIBiXNlY3AyNTZrMaEDF0wfAJ-f1UZtpG7RdNSiVhjDl_ktP1dsDioUcGO2f1ODdWRwgiOM',
      'enr:-Iu4QHs9DjoZ6gJHeOba6GbjXVl212tQsfX0TWrNeIXDLt42HHh8shfpUIzEZLSdnH9PIMox24uAYgmh4BAkhbb1_34LY26CaWSCdjSCaXCEwiErIXDDAgIBiXNlY3AyNTZrMaEDjj_JhExvBxl-vod_kHHqwBTJImdUAaxxOs1Sq6tE_4WDdWRwgiOM',
      'enr:-Iu4QK-LZl9h8CWy5HVxpglItcAePYvIj-8GgmUf6EvmwS3oS7CvzawF5v9gRfCNO3N5n74Qq6KbwdcebiQYPA4q4-ILY26CaWSCdjSCaXCEwiErQHDDAgIBiXNlY3AyNTZrMaECwlSJJWIYN54QhUJDfXaEqS2L6P4zVf7tfWMu-5CIu96DdWRwgiOM',
      'enr:-Iu4QIslS2Y6FEs0GrJEaz0N4bYPWV_KIL-5LwuCTKfyO8KRVy2y-MxBF-vOE9MwFNmeIkPZ1Qi5NE4QT6yxHofISzYLY26CaWSCdjSCaXCEwiErQXDDAgIBiXNlY3AyNTZrMaEDoxCxTcb2iHHqAIAFSQAm9dNI65REomVrHw5STD8mm1KDdWRwgiOM',
    ],
  },
  sepolia: {
    name: 'sepolia',
    chainId: 11_155_111n,
    genesisHash: '0x25a5cc106eea7138acab33231d7160d69cb777ee0c2c553fcddf5138993e6dd9',
    bootnodes: [],
  },
  hoodi: {
    name: 'hoodi',
    chainId: 560_048n,
    genesisHash: '0xbbe312868b376a3001692a646dd2d7d1e4406380dfd86b98aa8a34d1557c971b',
    bootnodes: [],
  },
}
