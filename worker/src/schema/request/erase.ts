import * as z from 'zod/mini'
import { SpaceName } from '../atoms.ts'

/** The body of `DELETE /api/space`: the space's name, so that nobody erases one by mistake. */
export const EraseRequest = z.strictObject({ confirm: SpaceName })
