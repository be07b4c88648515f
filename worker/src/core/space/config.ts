import type { Rates } from '../access/budget.ts'
import type { IdentityProvider } from '../access/identity.ts'
import type { Policy } from '../batch/policy.ts'
import { collectionOf } from '../values/key.ts'
import type { Amounts } from './quota.ts'

/** The configuration that an operator sets for all spaces of a stack. */
export interface Config {
  /** Grows with every change. A space never goes back to an older revision than it has seen. 0: never configured. */
  readonly revision: number
  /** The policy of collections that `policies` does not name. */
  readonly defaultPolicy: Policy
  readonly policies: Readonly<Record<string, Policy>>
  /** How long replaced versions, losers and resolved conflicts stay readable, days. */
  readonly historyDays: number
  /** How long deletions stay in the feed, days. A device that was away for longer starts over. */
  readonly tombstoneDays: number
  /** The identity providers whose tokens open sessions, beside the tokens that the operator mints. */
  readonly identityProviders: readonly IdentityProvider[]
  /** The requests per minute that a space serves to each client, to each credential, and in total. */
  readonly requestsPerMinute: Rates
  /** The quota of each space. */
  readonly quota: Amounts
}

/** The configuration until an operator sets one. */
export const DEFAULT_CONFIG: Config = {
  revision: 0,
  defaultPolicy: 'lww',
  policies: {},
  historyDays: 30,
  tombstoneDays: 90,
  identityProviders: [],
  // A client gets ten requests a second: more than a device needs, and as much as the Worker's own counter admits in
  // one location. A space gets 100 a second: half of the vendor's lowest figure for an object that stores (200 to 500 a
  // second), because it also serves sockets and upkeep and has neighbours. A credential gets half of that, so that
  // another one is always admitted.
  requestsPerMinute: { client: 600, credential: 3000, space: 6000 },
  // Far more than people write by hand, and a tenth of the platform's storage per object. A runaway client is stopped
  // while there is room to repair.
  quota: { entries: 1_000_000, bytes: 1024 ** 3 },
}

/** The policy of a key's collection. */
export function policyOf({ policies, defaultPolicy }: Config, key: string): Policy {
  const collection = collectionOf(key)
  return Object.hasOwn(policies, collection) ? (policies[collection] as Policy) : defaultPolicy
}
