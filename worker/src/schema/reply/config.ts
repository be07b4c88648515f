import * as z from 'zod/mini'
import { StoredConfig } from '../stored/config.ts'
import { field, named } from './described.ts'

/** The reply of `GET /api/config`. */
export const ShownConfig = named(
  'The configuration of all spaces of a stack.',
  z.extend(StoredConfig, { stack: field('The name of the stack.', z.string()) }),
)

/** The reply of `PUT /api/config`. */
export const ConfigReply = named(
  'The new configuration.',
  z.extend(ShownConfig, { success: z.literal(true) }),
)
