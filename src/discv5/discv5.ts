export type {
  DiscoveryInput,
  DiscoveryOptions,
  DiscoveryOutput,
  DiscoverySnapshot,
  SessionSnapshot,
  TalkToken,
} from './interface.ts'
