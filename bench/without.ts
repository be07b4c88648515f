import type { Alteration } from '../test/support/alter.ts'

const CLEAR_VALUES: readonly Alteration[] = [
  {
    file: 'objects/store/seal.ts',
    find: 'await crypto.subtle.encrypt(algorithm, keysOf(origin.g).sealing, encoder.encode(text))',
    replace: 'encoder.encode(text)',
  },
  {
    file: 'objects/store/seal.ts',
    find: 'await crypto.subtle.decrypt(algorithm, keysOf(header.g).sealing, content)',
    replace: 'content',
  },
]

/** The other way round: the dev stack leaves keys as they are. */
const KEYED_NAMES: readonly Alteration[] = [
  { file: 'objects/store/key-names.ts', find: "wanted !== 'keyed' || ", replace: '' },
]

const NO_SIGNATURE: readonly Alteration[] = [
  {
    file: 'http/auth/signing.ts',
    find: `await jwtVerify(token, (header) => keyFor(header, keys), {
      algorithms: ['HS256'],
      issuer: issuer(env),
      typ,
    })`,
    replace: `{ payload: JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'))) }`,
  },
]

/** Each protection whose cost is measured, and the lines that take it out. */
export const WITHOUT = {
  'the seal of values': CLEAR_VALUES,
  'clear names of keys': KEYED_NAMES,
  'the signature of sessions': NO_SIGNATURE,
} satisfies Record<string, readonly Alteration[]>
