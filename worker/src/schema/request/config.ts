import * as z from 'zod/mini'
import { DEFAULT_CONFIG } from '../../core/space/config.ts'
import { StoredConfig } from '../stored/config.ts'

const { defaultPolicy, policies, historyDays, tombstoneDays } = StoredConfig.shape

/** The body of `PUT /api/config`: the whole configuration, based on `revision`. Missing fields get their defaults. */
export const ConfigRequest = z.strictObject({
  ...StoredConfig.shape,
  defaultPolicy: z._default(defaultPolicy, DEFAULT_CONFIG.defaultPolicy),
  policies: z._default(policies, {}),
  historyDays: z._default(historyDays, DEFAULT_CONFIG.historyDays),
  tombstoneDays: z._default(tombstoneDays, DEFAULT_CONFIG.tombstoneDays),
})
