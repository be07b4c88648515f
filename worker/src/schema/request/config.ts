import * as z from 'zod/mini'
import { DEFAULT_CONFIG } from '../../core/space/config.ts'
import { Name } from '../atoms.ts'
import { StoredConfig } from '../stored/config.ts'

const { defaultPolicy, policies, historyDays, tombstoneDays } = StoredConfig.shape

/** Refuses a key that looks like a pattern, because a policy applies to one collection only. */
const NO_PATTERN = z.refine<Record<string, unknown>>((named) => !Object.hasOwn(named, '*'), {
  message: '"*" is no pattern for all collections: use defaultPolicy',
})

/** The body of `PUT /api/config`: the whole configuration, based on `revision`. Missing fields get their defaults. */
export const ConfigRequest = z.strictObject({
  ...StoredConfig.shape,
  stack: z.optional(Name),
  defaultPolicy: z._default(defaultPolicy, DEFAULT_CONFIG.defaultPolicy),
  policies: z._default(policies.check(NO_PATTERN), {}),
  historyDays: z._default(historyDays, DEFAULT_CONFIG.historyDays),
  tombstoneDays: z._default(tombstoneDays, DEFAULT_CONFIG.tombstoneDays),
})
