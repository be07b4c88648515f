import type { Alteration } from '../../test/support/alter.ts'

const CLEAR_VALUES: readonly Alteration[] = [
  {
    function: 'spaceKeys',
    with: `(original, ...args) => {
      const same = async (algorithm, key, bytes) => bytes
      Object.assign(crypto.subtle, { encrypt: same, decrypt: same })
      return original(...args)
    }`,
  },
]

/** Adds keyed names instead, because the dev stack leaves keys in clear. */
const KEYED_NAMES: readonly Alteration[] = [
  { function: 'keyNames', with: `(original, storage, keys) => original(storage, keys, 'keyed')` },
]

const NO_SIGNATURE: readonly Alteration[] = [
  {
    function: 'verify',
    in: 'signing.ts',
    with: `async (original, token) => ({
      is: 'valid',
      payload: JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'))),
    })`,
  },
]

/** Each protection whose cost is measured, with the alterations that remove it. */
export const WITHOUT = {
  'the seal of values': CLEAR_VALUES,
  'clear names of keys': KEYED_NAMES,
  'the signature of sessions': NO_SIGNATURE,
} satisfies Record<string, readonly Alteration[]>
