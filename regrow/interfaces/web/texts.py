"""What the page says, in English and in Chinese.

Labels are translated in the browser by gradio, by the browser's language; sentences that depend on what happened are
put together here, by the language that the browser's request names.
"""

from typing import Any

import gradio as gr

TEXTS: dict[str, tuple[str, str]] = {
    "title": ("regrow", "regrow"),
    "about": (
        "Rewind a picture to noise, and let it grow back as something else. Everything stays on this computer.",
        "把图片倒回噪声，再让它长成别的样子。一切都留在这台电脑上。",
    ),
    "edit": ("Edit", "编辑"),
    "generate": ("Generate", "生成"),
    "history": ("History", "历史"),
    "models": ("Models", "模型"),
    "train": ("Train", "训练"),
    "inside": ("Look inside", "内部"),
    "picture": ("Picture: drop one here, or take the example", "图片：拖到这里，或用示例"),
    "example": ("Take the example cat", "用示例猫图"),
    "source": ("What the picture shows", "图片里有什么"),
    "source_hint": ("an orange cat on a beach", "沙滩上的橘猫"),
    "target": ("What it should become (one wish a line)", "要变成什么（每行一个愿望）"),
    "target_hint": ("an orange puppy on a beach", "沙滩上的橘色小狗"),
    "go_edit": ("Edit the picture", "编辑图片"),
    "strength": ("Keep ... change", "保留 …… 改变"),
    "strength_info": (
        "Left keeps more, right changes more. Let go, and it grows again from the path that is kept.",
        "向左多保留，向右多改变；松手后从已存的路径重新生长。",
    ),
    "before_after": ("Before and after: drag the line", "前后对比：拖动分界线"),
    "growing": ("Growing", "正在生长"),
    "reconstruction": ("The same path under the old words", "用原来的文字沿同一路径还原"),
    "wishes": ("The wishes: pick one to compare it", "各个愿望：点选一个作对比"),
    "explore": ("Try strengths and guidances on the first wish", "对第一个愿望试不同强度和引导"),
    "sheet": (
        "Strength down, guidance across: pick one to take its settings",
        "向下强度增大，向右引导增大：点选一格取用设置",
    ),
    "cell": ("change {strength}, guidance {guidance}", "改变 {strength}，引导 {guidance}"),
    "use_result": ("Use the result as the picture", "把结果当作图片"),
    "settings": ("All settings", "全部设置"),
    "cancel": ("Cancel", "取消"),
    "prompt": ("What the picture shows", "图片的内容"),
    "prompt_hint": ("a white rabbit in the snow", "雪地里的白兔"),
    "negative": ("What it should not show", "不要出现什么"),
    "negative_edit": ("Words to grow away from (empty: the picture's own)", "远离哪些文字（空：图片自己的描述）"),
    "go_generate": ("Make pictures", "生成图片"),
    "again": ("Again", "再来一次"),
    "another": ("Another", "换一张"),
    "results": ("Results", "结果"),
    "count": ("How many", "几张"),
    "model": ("Model", "模型"),
    "seed": ("Seed: the same gives the same", "种子：相同则结果相同"),
    "steps": ("Steps", "步数"),
    "guidance": ("Guidance: how much the words are exaggerated (1 = off)", "引导：文字强调多少（1 = 关）"),
    "invert_guidance": ("Guidance of the inversion (1 = off)", "反演的引导（1 = 关）"),
    "solver": ("Solver", "求解器"),
    "eta": ("Fresh noise (eta)", "新噪声（eta）"),
    "spacing": ("Spacing of the levels", "噪声级的间隔"),
    "height": ("Height in pixels (0: the model's)", "高（像素，0：按模型）"),
    "width": ("Width in pixels (0: the model's)", "宽（像素，0：按模型）"),
    "method": ("Method", "方法"),
    "label_level": ("Level the inversion names (naive)", "反演所用的级（naive）"),
    "tolerance": ("Tolerance (fixed_point)", "容差（fixed_point）"),
    "frame": ("A picture of another size is", "尺寸不符时"),
    "region": ("Only this box may change: left, top, right, bottom as shares", "只许改这个框：左,上,右,下（比例）"),
    "mask": ("Mask: white may change, black stays", "蒙版：白处可改，黑处不变"),
    "find_mask": ("Find by itself where to change, and keep the rest untouched", "自动找出要改的地方，其余原样不动"),
    "found_mask": ("Where it was allowed to change", "允许改变的地方"),
    "keep_mask": ("Keep this mask for other words", "换了文字也用这个蒙版"),
    "attention": (
        "Share attention with the picture (p2p: word for word; masactrl: its parts)",
        "与原图共享注意力（p2p：逐词；masactrl：取用其部分）",
    ),
    "attention_share": ("In what share of the steps", "在多大比例的步数里"),
    "emphasis": ("Weigh words (with p2p)", "给词加权（配合 p2p）"),
    "feather": ("Soft edge of region and mask", "区域和蒙版的柔边"),
    "drop": ("Drop any picture that regrow made to get its settings back", "拖入 regrow 做的任何图片，取回它的设置"),
    "made": ("Everything made here, newest first", "这里做的一切，最新在前"),
    "refresh": ("Show what is new", "刷新"),
    "recipe": ("Recipe", "配方"),
    "replay": ("Make it again", "重做"),
    "reuse": ("Take its settings", "取用设置"),
    "edit_this": ("Edit this picture", "编辑这张图"),
    "delete": ("Delete", "删除"),
    "really_delete": ("Really delete", "确认删除"),
    "models_here": ("Models here", "已有的模型"),
    "facts": ("What it is and can do", "它是什么、能做什么"),
    "pull": ("Get a model from the Hugging Face hub", "从 Hugging Face 下载模型"),
    "repo": ("Repository (user/name)", "仓库（user/name）"),
    "go_pull": ("Download, or go on with a download", "下载或继续下载"),
    "stop": ("Stop", "停止"),
    "folder": ("Folder on this computer", "本机文件夹"),
    "go_open": ("Add this folder", "加入这个文件夹"),
    "name": ("Name", "名称"),
    "set": (
        "Folder with pictures (captions beside them, in metadata files or folder names)",
        "图片文件夹（旁边带文字说明）",
    ),
    "upload_set": ("or upload pictures and caption files", "或上传图片和说明文件"),
    "model_name": ("Name of the new model", "新模型的名称"),
    "from": ("Go on from", "从哪个模型继续"),
    "how_long": ("For how long (like 20m or 2h)", "训练多久（如 20m、2h）"),
    "lora": ("LoRA rank (0 = train the whole denoiser)", "LoRA 秩（0 = 训练整个去噪器）"),
    "batch": ("Pictures a step", "每步图片数"),
    "minutes": ("Minutes between sample grids", "样图间隔（分钟）"),
    "train_steps": ("Steps instead of a time (0 = by time)", "用步数代替时间（0 = 按时间）"),
    "rehearse": ("See what will be used", "看看会用到什么"),
    "go_train": ("Start training", "开始训练"),
    "runs": ("Trainings", "训练记录"),
    "resume": ("Resume", "继续"),
    "loss": ("Loss", "损失"),
    "samples": ("Newest samples", "最新样图"),
    "log": ("What it said", "输出"),
    "look": ("Show the path", "显示路径"),
    "strip": ("From picture to noise", "从图片到噪声"),
    "curve": ("alpha-bar by step: how much of the picture is left", "各步的 alpha-bar：图片还剩多少"),
    "strength_curve": ("Where an edit of this strength starts", "这个强度的编辑从哪里开始"),
    "prove_about": (
        "Every formula that regrow uses, against an answer known in closed form.",
        "regrow 用到的每个公式，都与有解析解的答案对照。",
    ),
    "prove": ("Prove every formula now", "现在验证所有公式"),
    "check": ("Check", "检验"),
    # sentences, put together on the server
    "no_picture": ("Drop a picture first, or take the example.", "请先放一张图片，或用示例。"),
    "no_words": ("Say what it should show: the field for words is empty.", "请写下想要的内容：文字栏是空的。"),
    "no_wish": ("Say what the picture should become: that field is empty.", "请写下要变成什么：该栏是空的。"),
    "waiting": ("Waiting: {place} before it.", "排队中：前面还有 {place} 个。"),
    "opening": ("Opening the model.", "正在打开模型。"),
    "step": ("{part}: step {index} of {steps}", "{part}：第 {index} 步，共 {steps} 步"),
    "part_invert": ("Rewinding", "倒回"),
    "part_regrow": ("Growing back", "重新生长"),
    "part_generate": ("Growing", "生长"),
    "part_tune": ("Tuning", "调节"),
    "part_verify": ("Checking", "检验"),
    "done": (
        "Done: {evaluations} evaluations of the network, {seconds} s.",
        "完成：网络计算 {evaluations} 次，{seconds} 秒。",
    ),
    "kept_path": ("The path was kept from before.", "路径沿用之前的。"),
    "psnr": (
        "Reconstruction: PSNR {psnr} dB to the picture. A difference there is the model's own loss, not the edit's.",
        "还原：与原图的 PSNR 为 {psnr} dB；这里的差别来自模型本身，而不是编辑。",
    ),
    "failed": ("It did not work: {error}", "没有成功：{error}"),
    "cancelled": ("Cancelled.", "已取消。"),
    "same": ("The same, bit for bit.", "逐位相同。"),
    "not_same": ("NOT the same: another machine, library or thread count.", "不相同：机器、库或线程数不同。"),
    "proved": ("{passed} of {all} checks passed.", "{all} 项检验中通过 {passed} 项。"),
    "taken": ("Its settings are on the {tab} tab.", "设置已填到“{tab}”页。"),
    "taken_without": (
        "Its settings are on the Edit tab; the picture that it was made from is not here, so drop that one too.",
        "设置已填到“编辑”页；原图不在这里，请把原图也拖进去。",
    ),
    "nothing_made": ("Nothing was made yet.", "还没有做过什么。"),
    "local_only": (
        "Folders of this computer can be named only where the page listens to this computer alone.",
        "只有当页面仅监听本机时，才能指定本机文件夹。",
    ),
    "running": ("running", "进行中"),
    "stopped": ("stopped", "已停止"),
    "finished": ("finished", "已完成"),
    "run_line": ("{name}: {state}, step {step}, {left} left", "{name}：{state}，第 {step} 步，剩余 {left}"),
    "run_line_short": ("{name}: {state}, step {step}", "{name}：{state}，第 {step} 步"),
    "no_name": ("Give the new model a plain name.", "请给新模型起一个简单的名字。"),
    "name_taken": (
        "There is a training or a model called {name}; choose another name, or resume it on the right.",
        "已有名为 {name} 的训练或模型；请另取名字，或在右边继续它。",
    ),
    "no_set": ("Name a folder with pictures, or upload some.", "请指定图片文件夹，或上传图片。"),
    "already": ("That one is at work already, or none is chosen.", "它已在进行，或没有选中任何一个。"),
    "started": ("Started; it goes on when you close the page or the server.", "已开始；关闭页面或服务器也会继续。"),
    "stopping": ("It saves and stops.", "正在保存并停止。"),
    "no_repo": ("Give the repository as user/name.", "请按 user/name 的形式填写仓库。"),
    "opening_hub": ("Asking the hub.", "正在联系 Hugging Face。"),
    "got": ("{megabytes} MB came so far.", "已下载 {megabytes} MB。"),
    "added": ("Added: {name}.", "已加入：{name}。"),
}


def text(key: str) -> Any:  # gradio takes it wherever it takes a string, and types only some of these places so
    """A label that the browser translates."""
    assert key in TEXTS, key
    return I18N(key)


def said(key: str, request: gr.Request | None, **figures: object) -> str:
    """A sentence in the language of a request."""
    language = (request.headers.get("accept-language", "") if request and request.headers else "").lower()
    return TEXTS[key][language.startswith("zh")].format(**figures)


_ENGLISH, _CHINESE = ({key: pair[i] for key, pair in TEXTS.items()} for i in (0, 1))
I18N = gr.I18n(**{"en": _ENGLISH, "zh": _CHINESE, "zh-CN": _CHINESE, "zh-TW": _CHINESE})
