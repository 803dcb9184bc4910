"""Simplified-Chinese captions of a phrase, from the plainest to the most detailed.

As a small model reads character by character, a value has the same wording wherever grammar allows, and no mood shares
a character with a tempo (so a happy tune is 欢乐, not 欢快).
"""

from regrow.worlds.bandstand.phrase import KITS, Phrase

INSTRUMENT_WORDS = {
    "piano": "钢琴",
    "guitar": "吉他",
    "electric guitar": "电吉他",
    "violin": "小提琴",
    "flute": "长笛",
    "clarinet": "单簧管",
    "trumpet": "小号",
    "saxophone": "萨克斯",
    "organ": "管风琴",
    "choir": "合唱团",
    "marimba": "马林巴",
    "sitar": "西塔琴",
    "drum kit": "架子鼓",
    "drum machine": "鼓机",
}
PATTERN_WORDS = {"melody": "旋律", "arpeggio": "琶音", "chords": "和弦", "bass line": "低音线", "beat": "节奏"}
MOOD_WORDS = {"major": "欢乐", "minor": "忧伤", "pentatonic": "五声"}
SCALE_WORDS = {"major": "大调", "minor": "小调", "pentatonic": "五声调式"}
TEMPO_WORDS = {"slow": "慢速", "medium": "中速", "fast": "快速"}
REGISTER_WORDS = {"low": "低音区", "middle": "中音区", "high": "高音区"}


def captions_zh(phrase: Phrase) -> tuple[str, ...]:
    """Return captions of a phrase without repetitions, the plainest first: "慢速忧伤的钢琴旋律"."""
    instrument, pattern = INSTRUMENT_WORDS[phrase.instrument], PATTERN_WORDS[phrase.pattern]
    tempo = TEMPO_WORDS[phrase.tempo]
    verb = "演唱" if phrase.instrument == "choir" else "演奏"
    by = f"由合唱团{verb}" if phrase.instrument == "choir" else f"用{instrument}{verb}"
    if phrase.instrument in KITS:
        return (
            f"{tempo}的{instrument}{pattern}",
            f"{instrument}{pattern}",
            f"一段{instrument}{pattern}",
            f"{by}的{pattern}",
            f"{by}的{tempo}{pattern}",
        )
    mood, scale = MOOD_WORDS[phrase.scale], SCALE_WORDS[phrase.scale]
    found = [
        f"{tempo}{mood}的{instrument}{pattern}",
        f"{instrument}{pattern}",
        f"{by}的{mood}{pattern}",
        f"{by}的{tempo}{mood}{pattern}",
        f"一段{tempo}的{instrument}{pattern}，{scale}",
        f"{instrument}{verb}{mood}的{pattern}",
    ]
    if phrase.pattern != "bass line":  # which is low by definition
        register = REGISTER_WORDS[phrase.register]
        found += [
            f"{register}{mood}的{instrument}{pattern}",
            f"{register}{tempo}的{instrument}{pattern}",
            f"{by}的{tempo}{pattern}，{register}",
            f"{register}{tempo}{mood}的{instrument}{pattern}",
            f"{by}的{tempo}{mood}{pattern}，{register}",
            f"{instrument}在{register}{verb}{tempo}{mood}的{pattern}",
        ]
    return tuple(dict.fromkeys(found))
