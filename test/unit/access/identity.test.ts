import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  grantOf,
  type IdentityProvider,
  identityName,
  longestGrant,
} from '../../../worker/src/core/access/identity.ts'
import { IdentityName } from '../../../worker/src/schema/name.ts'

const entry: IdentityProvider = {
  issuer: 'https://a.example/',
  audiences: ['x'],
  jwksUrl: 'https://a.example/keys',
  algorithms: ['RS256'],
  scopes: ['sync:read'],
  spaceClaim: 'sub',
}

const printable = (length: number) =>
  fc.string({
    unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength: length,
  })
const issuer = printable(20).map((text) => `https://h${text.replaceAll(/[ #]/g, '')}`)
const claim = printable(8).map((text) => `c${text.replaceAll(/[ #=]/g, '')}`)

test('[ID5] two names are the same only if issuer, claim and value are', () => {
  const named = fc.tuple(issuer, claim, printable(20))
  fc.assert(
    fc.property(named, named, (one, other) => {
      const same = one.every((part, index) => part === other[index])
      expect(identityName(...one) === identityName(...other)).toBe(same)
    }),
    { seed: 5, numRuns: 5000 },
  )
})

test('[ID5] no subject can name another one, whatever its provider lets it be called', () => {
  fc.assert(
    fc.property(
      issuer,
      claim,
      fc.oneof(printable(255), fc.string({ unit: 'binary' })),
      (issuer, spaceClaim, value) => {
        const claims = { iat: 1, exp: 2, sub: 'ann', [spaceClaim]: value }
        const granted = grantOf({ ...entry, issuer, spaceClaim }, claims, 1000)
        if (!granted.ok) return
        const { space, subject } = granted.value
        expect(space).toBe(`${issuer}#${spaceClaim}=${value}`)
        expect(subject).toBe(`${issuer}#sub=ann`)
        expect(space.length).toBeLessThanOrEqual(longestGrant({ ...entry, issuer, spaceClaim }).space.length)
        expect(IdentityName.safeParse(space).success).toBe(true)
      },
    ),
    { seed: 6, numRuns: 5000 },
  )
})
