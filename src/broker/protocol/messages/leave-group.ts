export const leaveGroup = {
  key: 13,
  name: 'LeaveGroup',
  versions: '0-5',
  flexible: '4+',
  request: {
    groupId: ['string', '0+'],
    memberId: ['string', '0-2'],
    members: [
      [
        {
          memberId: ['string', '3+'],
          groupInstanceId: ['string', '3+', { nullable: '3+', default: null }],
          reason: ['string', '5+', { nullable: '5+', default: null }],
        },
      ],
      '3+',
    ],
  },
  response: {
    throttleTimeMs: ['int32', '1+'],
    errorCode: ['int16', '0+'],
    members: [
      [
        {
          memberId: ['string', '3+'],
          groupInstanceId: ['string', '3+', { nullable: '3+' }],
          errorCode: ['int16', '3+'],
        },
      ],
      '3+',
    ],
  },
} as const
