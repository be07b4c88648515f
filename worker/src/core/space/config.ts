import type { Rates } from '../access/budget.ts'
import type { IdentityProvider } from '../access/identity.ts'
import type { Policy } from '../batch/policy.ts'
import { collectionOf } from '../values/key.ts'
import type { Amounts } from './quota.ts'

/** What an operator decides for all spaces of a stack. */
export interface Config {
  /** Grows with every change: a space never goes back to an older one than it has seen. 0: never configured. */
  readonly revision: number
  /** Of collections that `policies` does not name. */
  readonly defaultPolicy: Policy
  readonly policies: Readonly<Record<string, Policy>>
  /** How long replaced versions, losers and settled conflicts stay readable, days. */
  readonly historyDays: number
  /** How long deletions stay in the feed, days: a device that was away for longer starts over. */
  readonly tombstoneDays: number
  /** Whose tokens open sessions, beside those that the operator mints. */
  readonly identityProviders: readonly IdentityProvider[]
  /** How many requests a minute a space answers each client, each credential, and all of them together. */
  readonly requestsPerMinute: Rates
  /** How much each space may hold. */
  readonly quota: Amounts
}

/** What holds until an operator says otherwise. */
export const DEFAULT_CONFIG: Config = {
  revision: 0,
  defaultPolicy: 'lww',
  policies: {},
  historyDays: 30,
  tombstoneDays: 90,
  identityProviders: [],
  // Ten a second are more than one device has to say, and what the Worker's own counter lets through at a place. A space
  // answers 100 a second: half of the least that the vendor gives for an object that stores (200 to 500 a second), since
  // it has sockets and upkeep beside, and neighbours. A credential has half of it, so that another one always gets in.
  requestsPerMinute: { client: 600, credential: 3000, space: 6000 },
  // Far more than people write by hand, and a tenth of what the platform lets an object store: who gets here by mistake
  // is stopped while there is room to mend it.
  quota: { entries: 1_000_000, bytes: 1024 ** 3 },
}

/** How a key's collection settles concurrent writes. */
export function policyOf({ policies, defaultPolicy }: Config, key: string): Policy {
  const collection = collectionOf(key)
  return Object.hasOwn(policies, collection) ? (policies[collection] as Policy) : defaultPolicy
}
