import { describe, it } from 'vitest'
import { plays } from './consumer-transcript.ts'

describe('a group of the consumer protocol', () => {
  it('moves partitions to a new member only when the old one has given them up', () => {
    plays(
      { t: 4 },
      `0 join a topics=t => a in 1 has 't0,t1,t2,t3' [Stable 1/1 kept]
       1 beat a epoch=1 owns=t0,t1,t2,t3 => a in 1 [Stable 1/1]
       2 join b topics=t => b in 2 has '' [Reconciling 2/2 kept]
       3 beat a epoch=1 owns=t0,t1,t2,t3 => a in 1 has 't0,t1' [Reconciling 2/2 kept]
       4 beat b epoch=2 => b in 2 [Reconciling 2/2 kept]
       5 beat a epoch=1 owns=t0,t1,t2 => a in 1 [Reconciling 2/2]
       6 beat a epoch=1 owns=t0,t1 => a in 2 [Reconciling 2/2 kept]
       7 beat b epoch=2 owns= => b in 2 has 't2,t3' [Stable 2/2 kept]
       8 beat b epoch=2 owns=t2,t3 => b in 2 [Stable 2/2]`,
    )
  })

  it('gives what a member had to the others when it leaves, is taken out or is not heard of', () => {
    plays(
      { t: 3 },
      `0 join a topics=t => a in 1 has 't0,t1,t2' [Stable 1/1 kept]
       0 join b topics=t => b in 2 has '' [Reconciling 2/2 kept]
       1 leave a => a in -1 [Assigning 3/2 kept]
       2 beat b epoch=2 => b in 3 has 't0,t1,t2' [Stable 3/3 kept]
       3 join c topics=t => c in 4 has '' [Reconciling 4/4 kept]
       4 expel b => NONE [Assigning 5/4 kept]
       4 expel b => UNKNOWN_MEMBER_ID [Assigning 5/4]
       5 beat c epoch=4 => c in 5 has 't0,t1,t2' [Stable 5/5 kept]
       45004 tick => c [Stable 5/5]
       45005 tick =>  [Empty 6/5 kept]
       45006 beat c epoch=5 => UNKNOWN_MEMBER_ID [Empty 6/5]`,
    )
  })

  it('takes out who does not give up its partitions in time', () => {
    plays(
      { t: 2 },
      `0 join a topics=t => a in 1 has 't0,t1' [Stable 1/1 kept]
       1 join b topics=t => b in 2 has '' [Reconciling 2/2 kept]
       2 beat a epoch=1 owns=t0,t1 => a in 1 has 't0' [Reconciling 2/2 kept]
       9000 beat a epoch=1 owns=t0,t1 => a in 1 [Reconciling 2/2]
       20001 tick => a b [Reconciling 2/2]
       20002 tick => b [Assigning 3/2 kept]
       20003 beat b epoch=2 => b in 3 has 't0,t1' [Stable 3/3 kept]`,
    )
  })

  it('follows topics as they come and grow, by name and by expression', () => {
    plays(
      { t: 1 },
      `0 join a topics=t,u => a in 1 has 't0' [Stable 1/1 kept]
       1 topic u=1 => there [Stable 1/1]
       2 beat a epoch=1 => a in 2 has 't0,u0' [Stable 2/2 kept]
       3 topic t=2 => there [Stable 2/2]
       4 beat a epoch=2 => a in 3 has 't0,t1,u0' [Stable 3/3 kept]
       5 beat a epoch=3 topics= regex=[tv] => a in 3 has 't0,t1' [Reconciling 4/4 kept]
       6 beat a epoch=3 owns=t0,t1 => a in 4 [Stable 4/4 kept]
       7 topic w=1 => there [Stable 4/4]
       8 beat a epoch=4 => a in 4 [Stable 4/4]
       9 topic v=1 => there [Stable 4/4]
       10 beat a epoch=4 => a in 5 has 't0,t1,v0' [Stable 5/5 kept]`,
    )
  })

  it('refuses an expression that is none, and changes nothing', () => {
    plays({ t: 1 }, '0 join a regex=( => INVALID_REGULAR_EXPRESSION [Empty 0/0]')
  })

  it('is in an epoch that its members must know', () => {
    plays(
      { t: 2 },
      `0 join a topics=t => a in 1 has 't0,t1' [Stable 1/1 kept]
       1 beat a epoch=2 owns=t0,t1 => FENCED_MEMBER_EPOCH [Stable 1/1]
       2 commit a epoch=1 => NONE [Stable 1/1]
       2 commit a epoch=0 => STALE_MEMBER_EPOCH [Stable 1/1]
       2 commit b epoch=0 => UNKNOWN_MEMBER_ID [Stable 1/1]
       3 join b topics=t => b in 2 has '' [Reconciling 2/2 kept]
       4 beat a epoch=1 owns=t0 => a in 2 has 't0' [Reconciling 2/2 kept]
       5 beat a epoch=1 owns=t0 => a in 2 [Reconciling 2/2]
       6 beat a epoch=1 owns=t0,t1 => FENCED_MEMBER_EPOCH [Reconciling 2/2]
       6 beat a epoch=1 => FENCED_MEMBER_EPOCH [Reconciling 2/2]`,
    )
  })

  it('keeps the place of a static member that leaves for a while', () => {
    plays(
      { t: 2 },
      `0 join a topics=t static=one => a in 1 has 't0,t1' [Stable 1/1 kept]
       1 join b topics=t static=two => b in 2 has '' [Reconciling 2/2 kept]
       2 beat a epoch=1 static=one owns=t0 => a in 2 has 't0' [Reconciling 2/2 kept]
       3 beat b epoch=2 static=two owns= => b in 2 has 't1' [Stable 2/2 kept]
       4 leave a epoch=-2 static=one => a in -2 [Reconciling 2/2 kept]
       5 join y topics=t static=two => UNRELEASED_INSTANCE_ID [Reconciling 2/2]
       6 join x topics=t static=one => x in 2 has 't0' [Stable 2/2 kept]
       7 beat a epoch=2 static=one owns=t0 => FENCED_INSTANCE_ID [Stable 2/2]
       8 leave a static=one => FENCED_INSTANCE_ID [Stable 2/2]
       9 beat z epoch=2 static=three => UNKNOWN_MEMBER_ID [Stable 2/2]
       10 expel b id= static=two => NONE [Assigning 3/2 kept]
       11 beat x epoch=2 static=one owns=t0 => x in 3 has 't0,t1' [Stable 3/3 kept]`,
    )
  })

  it('does not take more members than it may have, and takes the assignor that most of them want', () => {
    plays(
      { t: 4, u: 4 },
      `0 join a topics=t,u assignor=range => a in 1 has 't0,t1,t2,t3,u0,u1,u2,u3' [Stable 1/1 kept]
       0 join b topics=t,u => b in 2 has '' [Reconciling 2/2 kept]
       0 beat a epoch=1 owns=t0,t1,u0,u1 => a in 2 has 't0,t1,u0,u1' [Reconciling 2/2 kept]
       0 join c topics=u => c in 3 has 'u3' [Reconciling 3/3 kept]
       1 join d topics=u => GROUP_MAX_SIZE_REACHED [Reconciling 3/3]`,
    )
  })
})
