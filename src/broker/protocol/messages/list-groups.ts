export const listGroups = {
  key: 16,
  name: 'ListGroups',
  versions: '0-5',
  flexible: '3+',
  request: {
    statesFilter: [['string'], '4+'],
    typesFilter: [['string'], '5+'],
  },
  response: {
    throttleTimeMs: ['int32', '1+'],
    errorCode: ['int16', '0+'],
    groups: [
      [
        {
          groupId: ['string', '0+'],
          protocolType: ['string', '0+'],
          groupState: ['string', '4+'],
          groupType: ['string', '5+'],
        },
      ],
      '0+',
    ],
  },
} as const
