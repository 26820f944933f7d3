/** Which keys or records a join hands on: those of both sides, all of the left one, or all of either. */
export type JoinKind = 'inner' | 'left' | 'outer'
