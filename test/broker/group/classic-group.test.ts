import { describe, expect, it } from 'vitest'
import { playGroup } from './group-transcript.ts'

describe('ClassicGroup', () => {
  it('waits for those that start at the same time, then has its leader assign', () => {
    expect(
      playGroup(`
        0 join a
        1000 join b
        3000 tick
        6000 tick
        6001 sync b
        6002 sync a work=a:A,b:B
        6003 heartbeat a
        6004 commit b
        6005 sync b`),
    ).toMatchInlineSnapshot(`
      "0 join a => - [PreparingRebalance]
      1000 join b => - [PreparingRebalance]
      3000 tick => - [PreparingRebalance]
      6000 tick => a is a in generation 1, range, leads a(a) b(b); b is b in generation 1, range, follows a [CompletingRebalance]
      6001 sync b => - [CompletingRebalance]
      6002 sync a work=a:A,b:B => kept: generation 1, 2 members; a works on 'A'; b works on 'B' [Stable]
      6003 heartbeat a => NONE [Stable]
      6004 commit b => NONE [Stable]
      6005 sync b => b works on 'B' [Stable]"
    `)
  })

  it('gives new members an id first, where their version knows that', () => {
    expect(
      playGroup(`
        0 join a knows=id new=a1
        1 join a id=a1 knows=id
        3001 tick
        3002 sync a id=a1 work=a1:A
        3003 join b knows=id new=b1
        13003 tick
        13004 join b id=b1 knows=id`),
    ).toMatchInlineSnapshot(`
      "0 join a knows=id new=a1 => a: MEMBER_ID_REQUIRED as a1 [Empty]
      1 join a id=a1 knows=id => - [PreparingRebalance]
      3001 tick => a is a1 in generation 1, range, leads a1(a) [CompletingRebalance]
      3002 sync a id=a1 work=a1:A => kept: generation 1, 1 members; a works on 'A' [Stable]
      3003 join b knows=id new=b1 => b: MEMBER_ID_REQUIRED as b1 [Stable]
      13003 tick => kept: generation 2, 0 members [Empty]
      13004 join b id=b1 knows=id => b: UNKNOWN_MEMBER_ID as b1 [Empty]"
    `)
  })

  it('rebalances when a member comes, goes, or changes what it says', () => {
    expect(
      playGroup(`
        0 join a
        3000 tick
        3001 sync a work=a:A
        4000 join b
        4001 heartbeat a
        4002 join a id=a
        4003 sync a work=a:A,b:B
        4004 sync b
        5000 join b id=b
        5001 join b id=b says=more
        5002 heartbeat a
        5003 join a id=a
        5004 leave b
        5005 join a id=a
        5006 sync a work=a:all
        5007 leave a`),
    ).toMatchInlineSnapshot(`
      "0 join a => - [PreparingRebalance]
      3000 tick => a is a in generation 1, range, leads a(a) [CompletingRebalance]
      3001 sync a work=a:A => kept: generation 1, 1 members; a works on 'A' [Stable]
      4000 join b => - [PreparingRebalance]
      4001 heartbeat a => REBALANCE_IN_PROGRESS [PreparingRebalance]
      4002 join a id=a => a is a in generation 2, range, leads a(a) b(b); b is b in generation 2, range, follows a [CompletingRebalance]
      4003 sync a work=a:A,b:B => kept: generation 2, 2 members; a works on 'A' [Stable]
      4004 sync b => b works on 'B' [Stable]
      5000 join b id=b => b is b in generation 2, range, follows a [Stable]
      5001 join b id=b says=more => - [PreparingRebalance]
      5002 heartbeat a => REBALANCE_IN_PROGRESS [PreparingRebalance]
      5003 join a id=a => a is a in generation 3, range, leads a(a) b(more); b is b in generation 3, range, follows a [CompletingRebalance]
      5004 leave b => NONE [PreparingRebalance]
      5005 join a id=a => a is a in generation 4, range, leads a(a) [CompletingRebalance]
      5006 sync a work=a:all => kept: generation 4, 1 members; a works on 'all' [Stable]
      5007 leave a => NONE; kept: generation 5, 0 members [Empty]"
    `)
  })

  it('goes on without members that do not join in time, do not ask for their work, or are not heard of', () => {
    expect(
      playGroup(`
        0 join a rebalance=5000
        1 join b rebalance=5000
        3000 tick
        5001 tick
        5002 sync a work=a:A,b:B
        10002 tick
        10003 heartbeat a
        10004 join a id=a rebalance=5000
        10005 sync a work=a:A
        20006 tick`),
    ).toMatchInlineSnapshot(`
      "0 join a rebalance=5000 => - [PreparingRebalance]
      1 join b rebalance=5000 => - [PreparingRebalance]
      3000 tick => - [PreparingRebalance]
      5001 tick => a is a in generation 1, range, leads a(a) b(b); b is b in generation 1, range, follows a [CompletingRebalance]
      5002 sync a work=a:A,b:B => kept: generation 1, 2 members; a works on 'A' [Stable]
      10002 tick => - [PreparingRebalance]
      10003 heartbeat a => REBALANCE_IN_PROGRESS [PreparingRebalance]
      10004 join a id=a rebalance=5000 => a is a in generation 2, range, leads a(a) [CompletingRebalance]
      10005 sync a work=a:A => kept: generation 2, 1 members; a works on 'A' [Stable]
      20006 tick => kept: generation 3, 0 members [Empty]"
    `)
  })

  it('knows a static member again, and fences off its former life', () => {
    expect(
      playGroup(`
        0 join a static=x new=a1
        3000 tick
        3001 sync a id=a1 static=x work=a1:A
        4000 join a static=x new=a2 knows=skip
        4001 heartbeat a id=a1 static=x
        4002 heartbeat a id=a2 static=x
        4003 sync a id=a2 static=x
        5000 join a static=x new=a3
        6000 join a static=x new=a4 says=more
        6001 sync a id=a4 static=x work=a4:A
        6002 leave a id= static=x
        6003 leave a id= static=x`),
    ).toMatchInlineSnapshot(`
      "0 join a static=x new=a1 => - [PreparingRebalance]
      3000 tick => a is a1 in generation 1, range, leads a1(a) [CompletingRebalance]
      3001 sync a id=a1 static=x work=a1:A => kept: generation 1, 1 members; a works on 'A' [Stable]
      4000 join a static=x new=a2 knows=skip => kept: generation 1, 1 members; a is a2 in generation 1, range, leads a2(a), nothing to assign [Stable]
      4001 heartbeat a id=a1 static=x => FENCED_INSTANCE_ID [Stable]
      4002 heartbeat a id=a2 static=x => NONE [Stable]
      4003 sync a id=a2 static=x => a works on 'A' [Stable]
      5000 join a static=x new=a3 => kept: generation 1, 1 members; a is a3 in generation 1, range, follows a2 [Stable]
      6000 join a static=x new=a4 says=more => a is a4 in generation 2, range, leads a4(more) [CompletingRebalance]
      6001 sync a id=a4 static=x work=a4:A => kept: generation 2, 1 members; a works on 'A' [Stable]
      6002 leave a id= static=x => NONE; kept: generation 3, 0 members [Empty]
      6003 leave a id= static=x => UNKNOWN_MEMBER_ID [Empty]"
    `)
  })

  it('refuses what does not fit', () => {
    expect(
      playGroup(`
        0 join a protocols=range,sticky
        0 join b protocols=sticky
        0 join c protocols=roundrobin
        0 join c type=connect
        0 join c session=10
        0 join c protocols=sticky
        0 join d protocols=sticky
        3000 tick
        6000 tick
        6001 sync a gen=7
        6001 sync a protocol=range
        6001 sync z
        6002 heartbeat a gen=0
        6003 commit a
        6003 commit a gen=-1
        6004 sync a work=a:A
        6005 heartbeat z
        6006 commit a gen=0
        6007 leave z`),
    ).toMatchInlineSnapshot(`
      "0 join a protocols=range,sticky => - [PreparingRebalance]
      0 join b protocols=sticky => - [PreparingRebalance]
      0 join c protocols=roundrobin => c: INCONSISTENT_GROUP_PROTOCOL [PreparingRebalance]
      0 join c type=connect => c: INCONSISTENT_GROUP_PROTOCOL [PreparingRebalance]
      0 join c session=10 => c: INVALID_SESSION_TIMEOUT [PreparingRebalance]
      0 join c protocols=sticky => - [PreparingRebalance]
      0 join d protocols=sticky => d: GROUP_MAX_SIZE_REACHED [PreparingRebalance]
      3000 tick => - [PreparingRebalance]
      6000 tick => a is a in generation 1, sticky, leads a(a) b(b) c(c); b is b in generation 1, sticky, follows a; c is c in generation 1, sticky, follows a [CompletingRebalance]
      6001 sync a gen=7 => a: ILLEGAL_GENERATION [CompletingRebalance]
      6001 sync a protocol=range => a: INCONSISTENT_GROUP_PROTOCOL [CompletingRebalance]
      6001 sync z => z: UNKNOWN_MEMBER_ID [CompletingRebalance]
      6002 heartbeat a gen=0 => ILLEGAL_GENERATION [CompletingRebalance]
      6003 commit a => REBALANCE_IN_PROGRESS [CompletingRebalance]
      6003 commit a gen=-1 => ILLEGAL_GENERATION [CompletingRebalance]
      6004 sync a work=a:A => kept: generation 1, 3 members; a works on 'A' [Stable]
      6005 heartbeat z => UNKNOWN_MEMBER_ID [Stable]
      6006 commit a gen=0 => ILLEGAL_GENERATION [Stable]
      6007 leave z => UNKNOWN_MEMBER_ID [Stable]"
    `)
  })
})
