// Comes before gradio's own script, which knows Chinese by these two names only and shows English to all others.
if (/^zh/i.test(navigator.language) && !/^zh-(CN|TW)$/.test(navigator.language)) {
  const now = /hant|hk|mo|tw/i.test(navigator.language) ? 'zh-TW' : 'zh-CN';
  Object.defineProperty(navigator, 'language', { get: () => now });
}
