/** Values that the examples of several operations share. */
export const NOW = 1_795_347_000_200
export const TOKEN = `chr_dev_${'Q'.repeat(43)}1b2c3d4`
export const TOKEN_ID = 'Tw7sNQyHUhp8oVY3hwsTzf8iSvB4sHIWvM3Ru5QnI-M'
export const OLD_TOKEN_ID = 'bJ8z1uVhZ4cQ2mYpX0tLr7eKsWgD9nFaO3iB5vHxUjE'
export const OBJECT_ID = '4f'.repeat(32)
export const SESSION = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl'

const WINNER = { value: { t: 1 }, version: 'k3x9q2.1039', timestamp: 1_795_346_999_000, by: 'tablet' }
const LOSER = { deleted: true, version: 'k3x9q2.1042', timestamp: 1_795_346_998_001, by: 'phone' }

export const ENTRY = { key: 'notes/2', ...WINNER }
export const CONFLICT = {
  id: 1042,
  key: 'notes/2',
  policy: 'lww',
  resolution: 'kept-server',
  winner: WINNER,
  loser: LOSER,
  paths: [],
}
