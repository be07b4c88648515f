import { test } from 'vitest'

test.skip('RxDB and TanStack DB over the service: npm run test:clients installs and runs them', () => {})
