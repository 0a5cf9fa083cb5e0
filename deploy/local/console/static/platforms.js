// platforms.js: what people must know of the chat platforms and of who they may be. The fakes know the rest.

export const platforms = {
  slack: { name: 'Slack', sends: 'signed', threads: true },
  feishu: { name: 'Feishu', sends: 'signed and encrypted', threads: true },
  dingtalk: { name: 'DingTalk', sends: 'signed', threads: false },
  wecom: { name: 'WeCom', sends: 'signed and encrypted', threads: false },
};

// platformOf knows what to show of a platform that is not listed, too.
export const platformOf = (id) => platforms[id] ?? { name: id, sends: 'signed', threads: true };

// roles say what each may do here.
export const roles = {
  operator: 'starts, advances and answers',
  approver: 'also approves what others ask for',
  viewer: 'looks, and may stop',
  stranger: 'has no role, and may still stop',
};

// chips are first steps: in a channel, and in a drill's thread, where the drill's id may be left out.
export const chips = {
  channel: ['/drill list', '/drill start cart-empty', '/drill start checkout-az-outage-production', '/drill status', '/drill stop all'],
  thread: ['status', 'approve', 'advance', 'skip', 'note all quiet', 'stop'],
};
