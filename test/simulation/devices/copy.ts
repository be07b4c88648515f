import type { Found } from '../../../client/src/store/store.ts'
import type { Known } from '../clients/client.ts'

/** The copy of a device, as the checks of a client read it. */
export function copyIn({ entries }: Found): ReadonlyMap<string, Known> {
  return new Map(
    Array.from(entries.values(), ({ key, value, version }) => [key, { value, version, deleted: false }]),
  )
}
