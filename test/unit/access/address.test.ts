import { expect, test } from 'vitest'
import { callerOf } from '../../../worker/src/core/access/address.ts'

test.each([
  ['203.0.113.7', null, '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', null, '2001:db8:1:2::/64'],
  ['2001:db8:1:2::1', null, '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002:ffff::', null, '2001:db8:1:2::/64'],
  ['2001:db8::1', null, '2001:db8:0:0::/64'],
  ['2001:db8:0:0:1::1', null, '2001:db8:0:0::/64'],
  ['::1', null, '0:0:0:0::/64'],
  ['::', null, '0:0:0:0::/64'],
  ['1::2:3:4:5:6:7', null, '1:0:2:3::/64'],
  ['::ffff:203.0.113.7', null, '203.0.113.7'],
  ['::FFFF:cb00:7107', null, '203.0.113.7'],
  ['2a06:98c0:3600::103', 'shop.example', 'worker shop.example'],
  ['2a06:98c0:3600::103', null, 'worker '],
  ['203.0.113.7', 'shop.example', '203.0.113.7'],
  ['2a06:98c0:3600::104', 'shop.example', '2a06:98c0:3600:0::/64'],
  [null, 'shop.example', 'unknown'],
])('[RL8] requests from %s of the zone %s count against %s', (address, zone, caller) => {
  expect(callerOf(address, zone)).toBe(caller)
})
