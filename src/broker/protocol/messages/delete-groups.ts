export const deleteGroups = {
  key: 42,
  name: 'DeleteGroups',
  versions: '0-2',
  flexible: '2+',
  request: {
    groupsNames: [['string'], '0+'],
  },
  response: {
    throttleTimeMs: ['int32', '0+'],
    results: [
      [
        {
          groupId: ['string', '0+'],
          errorCode: ['int16', '0+'],
        },
      ],
      '0+',
    ],
  },
} as const
