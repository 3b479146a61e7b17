"""The invented organisations of the sample world: colleges, partners, agencies, enterprises, courses, programmes.

No name here is meant to be anybody's. Occupations are ISCO-08 unit groups, countries ISO alpha-2, time zones IANA.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from service.domain.values import Period


@dataclass(frozen=True, slots=True)
class SampleUnit:
    """A school (department) of a college."""

    code: str
    name_native: str
    name_latin: str


@dataclass(frozen=True, slots=True)
class SampleCollege:
    """A vocational college whose people the service follows: an institution of its own."""

    code: str
    name_native: str
    name_latin: str
    country: str
    city_native: str
    city_latin: str
    time_zone: str
    units: tuple[SampleUnit, ...]


@dataclass(frozen=True, slots=True)
class SamplePartner:
    """A college abroad that trainees come from or go to."""

    code: str
    name_native: str
    name_latin: str
    country: str
    city_native: str
    city_latin: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class SampleAgency:
    """A dispatch agency in China, and the days on which its licence for labour cooperation abroad is in force."""

    code: str
    name_native: str
    name_latin: str
    city_native: str
    city_latin: str
    licence_number: str
    licensed: Period


@dataclass(frozen=True, slots=True)
class SampleEnterprise:
    """A host of trainees; `occupations` are the ISCO-08 unit groups it recruits for."""

    code: str
    name_native: str
    name_latin: str
    country: str
    city_native: str
    city_latin: str
    time_zone: str
    sector: str
    chinese_funded: bool
    occupations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SampleCourse:
    """A course of a trade; 16 hours of class or 24 of a placement make a credit.

    `stage` 1 is taken at home, 2 abroad. `credits` is a decimal as text.
    """

    code: str
    trade: str
    title_native: str
    title_english: str
    credits: str
    hours: int
    stage: int
    is_placement: bool = False


@dataclass(frozen=True, slots=True)
class SampleProgramme:
    """An X+X programme: so many months at the college, then so many with the partner."""

    code: str
    trade: str
    college: str
    unit: str
    partner: str
    title_native: str
    title_english: str
    home_months: int
    abroad_months: int

    @property
    def pattern(self) -> str:
        """The years at home and abroad as people write them: 2+1, 2.5+0.5."""
        return f"{self.home_months / 12:g}+{self.abroad_months / 12:g}"


COLLEGES: Final = (
    SampleCollege(
        "HAIYUE",
        "海岳职业技术学院",
        "Haiyue Vocational and Technical College",
        "CN",
        "青岛",
        "Qingdao",
        "Asia/Shanghai",
        (
            SampleUnit("ME", "智能制造学院", "School of Intelligent Manufacturing"),
            SampleUnit("HC", "健康护理学院", "School of Health and Nursing"),
            SampleUnit("HT", "酒店与旅游学院", "School of Hospitality and Tourism"),
            SampleUnit("IE", "国际教育学院", "School of International Education"),
        ),
    ),
    SampleCollege(
        "LANJIANG",
        "澜江工业职业学院",
        "Lanjiang Industrial Vocational College",
        "CN",
        "南宁",
        "Nanning",
        "Asia/Shanghai",
        (
            SampleUnit("WE", "材料与焊接学院", "School of Materials and Welding"),
            SampleUnit("ME", "机电工程学院", "School of Mechanical and Electrical Engineering"),
            SampleUnit("NU", "护理学院", "School of Nursing"),
            SampleUnit("IE", "东盟国际学院", "ASEAN International School"),
        ),
    ),
)

# fmt: off
PARTNERS: Final = (
    SamplePartner("TH-LANTHONG", "วิทยาลัยเทคนิคลานทองพัฒนา", "Lan Thong Phatthana Technical College", "TH",
        "ระยอง", "Rayong", "Asia/Bangkok"),
    SamplePartner("TH-DOIKHAM", "วิทยาลัยอาชีวศึกษาดอยคำวิทยา", "Doi Kham Witthaya Vocational College", "TH",
        "เชียงราย", "Chiang Rai", "Asia/Bangkok"),
    SamplePartner("KH-TONLEBORA", "វិទ្យាស្ថានបច្ចេកទេសទន្លេបូរ៉ា", "Tonle Bora Technical Institute", "KH", "ភ្នំពេញ",
        "Phnom Penh", "Asia/Phnom_Penh"),
    SamplePartner("RU-ZAREVO", "Заревский политехнический колледж", "Zarevo Polytechnic College", "RU",
        "Владивосток", "Vladivostok", "Asia/Vladivostok"),
    SamplePartner("KZ-ZHETIBULAK", "Жетібұлақ жоғары техникалық колледжі",
        "Zhetibulak Higher Technical College", "KZ", "Алматы", "Almaty", "Asia/Almaty"),
    SamplePartner("DE-WEIDENTAL", "Berufskolleg Weidental", "Weidental Vocational College", "DE", "Chemnitz",
        "Chemnitz", "Europe/Berlin"),
    SamplePartner("DE-HELLBACH", "Pflegeschule Hellbach", "Hellbach School of Nursing", "DE", "Kassel",
        "Kassel", "Europe/Berlin"),
    SamplePartner("JP-AOMINE", "青峰介護福祉専門学校", "Aomine College of Care and Welfare", "JP", "静岡",
        "Shizuoka", "Asia/Tokyo"),
)

AGENCIES: Final = (
    SampleAgency("HAIQIAO", "青岛海桥佰途对外劳务合作有限公司", "Haiqiao Baitu Labour Cooperation Co., Ltd.",
        "青岛", "Qingdao", "LW000000001", Period(date(2024, 3, 1), date(2030, 2, 28))),
    SampleAgency("YUANHE", "南宁远禾同程国际人力资源有限公司",
        "Yuanhe Tongcheng International Human Resources Co., Ltd.",
        "南宁", "Nanning", "LW000000002", Period(date(2023, 7, 15), date(2029, 7, 14))),
    # Its licence runs out while people are abroad: what has to be seen coming.
    SampleAgency("QIFAN", "大连启帆顺达对外经济合作有限公司",
        "Qifan Shunda Foreign Economic Cooperation Co., Ltd.",
        "大连", "Dalian", "LW000000003", Period(date(2021, 1, 10), date(2027, 1, 9))),
)


def _enterprise(
    code: str, name: tuple[str, str], place: tuple[str, str, str], sector: str, occupations: str
) -> SampleEnterprise:
    """Return one row: its code begins with the country, and ends in -CN where the capital is Chinese."""
    return SampleEnterprise(code, *name, code[:2], *place, sector, code.endswith("-CN"), tuple(occupations.split()))


_JP, _DE, _TH, _KH = "Asia/Tokyo", "Europe/Berlin", "Asia/Bangkok", "Asia/Phnom_Penh"

# 2221 and 3221 nurses, 5321 and 5322 carers, 3115 and 3119 technicians, 7212 welders, 7213 sheet metal, 7214 structural
# metal, 7222 toolmakers, 7223 machine setters, 7231 vehicles, 7233 machinery repair, 7411 and 7412 electricians,
# 7421 electronics, 8160 food machines, 8211 and 8212 assemblers, 3434 and 5120 kitchen, 4224 reception, 5131 table,
# 5151 housekeeping supervision, 9112 room cleaning.
ENTERPRISES: Final = (
    _enterprise("JP-AOBANE", ("株式会社蒼羽精機", "Aobane Precision Machinery K.K."),
        ("浜松", "Hamamatsu", _JP), "machinery", "7223 7222 3115"),
    _enterprise("JP-HINATANO", ("社会福祉法人ひなた野会", "Hinatano Social Welfare Corporation"),
        ("静岡", "Shizuoka", _JP), "nursing_care", "5321 5322"),
    _enterprise("JP-SAZANAMI", ("医療法人さざなみの郷", "Sazanami no Sato Medical Corporation"),
        ("福岡", "Fukuoka", _JP), "nursing_care", "5321"),
    _enterprise("JP-TETSUKAZE", ("鉄風工業株式会社", "Tetsukaze Kogyo K.K."), ("北九州", "Kitakyushu", _JP),
        "metalworking", "7212 7214"),
    _enterprise("JP-MINATOZAKI", ("湊崎造船鉄工株式会社", "Minatozaki Shipbuilding and Ironworks K.K."),
        ("今治", "Imabari", _JP), "shipbuilding", "7212 7213 7214"),
    _enterprise("JP-YUGIRI", ("株式会社夕霧荘", "Yugiriso Ryokan K.K."), ("箱根", "Hakone", _JP), "hospitality",
        "4224 5131 5151"),
    _enterprise("JP-KAEDE", ("楓電装株式会社", "Kaede Denso Parts K.K."), ("豊田", "Toyota", _JP), "automotive",
        "8211 7412"),
    _enterprise("JP-SHIRASAGI", ("白鷺フードテック株式会社", "Shirasagi Foodtech K.K."),
        ("札幌", "Sapporo", _JP), "food", "8160"),
    _enterprise("JP-TSUKIORI", ("月織ホテルズ株式会社", "Tsukiori Hotels K.K."), ("大阪", "Osaka", _JP),
        "hospitality", "4224 5120 9112"),
    _enterprise("JP-KOMOREBI", ("社会福祉法人木洩日の家", "Komorebi no Ie Social Welfare Corporation"),
        ("長野", "Nagano", _JP), "nursing_care", "5321 5322"),
    _enterprise("DE-NORDWALD", ("Nordwald Antriebstechnik GmbH", "Nordwald Antriebstechnik GmbH"),
        ("Chemnitz", "Chemnitz", _DE), "machinery", "3115 7233 7412"),
    _enterprise("DE-LINDENAU", ("Seniorenzentrum Lindenaue gGmbH", "Seniorenzentrum Lindenaue gGmbH"),
        ("Kassel", "Kassel", _DE), "nursing_care", "2221 3221 5321"),
    _enterprise("DE-HOHENBRUCK", ("Klinikverbund Hohenbrück gGmbH", "Klinikverbund Hohenbrueck gGmbH"),
        ("Göttingen", "Goettingen", _DE), "nursing_care", "2221 3221"),
    _enterprise("DE-STAHLFELD", ("Stahlfelder Metallbau GmbH & Co. KG", "Stahlfelder Metallbau GmbH & Co. KG"),
        ("Duisburg", "Duisburg", _DE), "metalworking", "7212 7214"),
    _enterprise("DE-WERRATAL", ("Werrataler Schaltanlagenbau GmbH", "Werrataler Schaltanlagenbau GmbH"),
        ("Erfurt", "Erfurt", _DE), "electronics", "7411 7412 7421"),
    _enterprise("DE-DUENENKLIFF", ("Hotel Dünenkliff Grünau GmbH", "Hotel Duenenkliff Gruenau GmbH"),
        ("Rostock", "Rostock", _DE), "hospitality", "3434 5131 4224"),
    _enterprise("DE-ROTHENKAMP", ("Rothenkamper Fahrzeugteile AG", "Rothenkamper Fahrzeugteile AG"),
        ("Zwickau", "Zwickau", _DE), "automotive", "7223 8211 7231"),
    _enterprise("DE-HUAXIN-CN", ("Huaxin Ruiheng Batterietechnik GmbH", "Huaxin Ruiheng Batterietechnik GmbH"),
        ("Leipzig", "Leipzig", _DE), "electronics", "3115 8212"),
    _enterprise("TH-RUIDAHE-CN",
        ("บริษัท รุ่ยต๋าเหอ ออโตโมทีฟ (ประเทศไทย) จำกัด", "Ruidahe Automotive (Thailand) Co., Ltd."),
        ("ระยอง", "Rayong", _TH), "automotive", "7223 8211 3115"),
    _enterprise("TH-HENGSHENG-CN",
        ("บริษัท เหิงเซิ่งหยวน ไทร์ (ประเทศไทย) จำกัด", "Hengshengyuan Tyre (Thailand) Co., Ltd."),
        ("ชลบุรี", "Chon Buri", _TH), "rubber", "7233 7412"),
    _enterprise("TH-LANYUE-CN", ("บริษัท หลานเยว่ อิเล็กทรอนิกส์ จำกัด", "Lanyue Electronics Co., Ltd."),
        ("พระนครศรีอยุธยา", "Phra Nakhon Si Ayutthaya", _TH), "electronics", "8212 7421"),
    _enterprise("TH-SAITHONG", ("บริษัท ทรายทองรีสอร์ท จำกัด", "Sai Thong Resort Co., Ltd."),
        ("ภูเก็ต", "Phuket", _TH), "hospitality", "4224 5120 5151"),
    _enterprise("TH-WARIN", ("บริษัท วารินทร์ล้านนาฟู้ดส์ จำกัด", "Warin Lanna Foods Co., Ltd."),
        ("เชียงใหม่", "Chiang Mai", _TH), "food", "8160 7233"),
    _enterprise("TH-ZHONGLU-CN", ("บริษัท จงลู่ไท่ เรล เอ็นจิเนียริ่ง จำกัด", "Zhonglutai Rail Engineering Co., Ltd."),
        ("กรุงเทพมหานคร", "Bangkok", _TH), "rail", "7214 7212 7411"),
    _enterprise("TH-RUAMJAI", ("บริษัท รวมใจเวลเนสแคร์ จำกัด", "Ruam Jai Wellness Care Co., Ltd."),
        ("นนทบุรี", "Nonthaburi", _TH), "nursing_care", "5321 3221"),
    _enterprise("KH-JINGANG-CN", ("ក្រុមហ៊ុន ជីនហ្កាង ហ្សិនវ៉ាង ឯ.ក", "Jingang Xinwang (Cambodia) Co., Ltd."),
        ("ព្រះសីហនុ", "Sihanoukville", _KH), "energy", "7412 7212 3119"),
    _enterprise("KH-MEISHU-CN", ("ក្រុមហ៊ុន ម៉ីស៊ូ ហ្គាមេន ឯ.ក", "Meishu Garment (Cambodia) Co., Ltd."),
        ("ភ្នំពេញ", "Phnom Penh", _KH), "textiles", "7233 7412"),
    _enterprise("KH-LUHAI-CN", ("ក្រុមហ៊ុន លូហៃ សំណង់ ឯ.ក", "Luhai Construction (Cambodia) Co., Ltd."),
        ("ព្រះសីហនុ", "Sihanoukville", _KH), "construction", "7214 7411 7212"),
    _enterprise("KH-ROMDUOL", ("សណ្ឋាគារ រំដួលទន្លេ", "Romduol Tonle Hotel"), ("សៀមរាប", "Siem Reap", _KH),
        "hospitality", "4224 5120 5131"),
    _enterprise("KH-BOTUM", ("មន្ទីរសម្រាកព្យាបាល បទុមថ្មី", "Botum Thmey Clinic"), ("បាត់ដំបង", "Battambang", _KH),
        "nursing_care", "3221 5321"),
    _enterprise("RU-YUANDONG-CN", ("ООО «Юаньдун Лесотех»", "Yuandong Lesotech LLC"),
        ("Хабаровск", "Khabarovsk", "Asia/Vladivostok"), "timber", "7233 7212"),
    _enterprise("RU-HUABEI-CN", ("ООО «Хуабэй Моторс Волга»", "Huabei Motors Volga LLC"),
        ("Тула", "Tula", "Europe/Moscow"), "automotive", "7223 7231 8211"),
    _enterprise("RU-SEVEROLUCH", ("АО «Северолучские машины»", "Severoluch Machinery JSC"),
        ("Екатеринбург", "Yekaterinburg", "Asia/Yekaterinburg"), "machinery", "7223 3115"),
    _enterprise("RU-BEREGOVOY", ("ООО «Береговая сварка»", "Beregovaya Svarka LLC"),
        ("Владивосток", "Vladivostok", "Asia/Vladivostok"), "shipbuilding", "7212 7214"),
    _enterprise("RU-ZARYANKA", ("ООО «Гостиницы Зарянка»", "Zaryanka Hotels LLC"),
        ("Иркутск", "Irkutsk", "Asia/Irkutsk"), "hospitality", "4224 3434 5131"),
    _enterprise("VN-HONGTHANH-CN",
        ("Công ty TNHH Điện tử Hồng Thạnh Nguyên", "Hong Thanh Nguyen Electronics Co., Ltd."),
        ("Bắc Ninh", "Bac Ninh", "Asia/Ho_Chi_Minh"), "electronics", "8212 7421 3115"),
    _enterprise("VN-SENVANG",
        ("Công ty Cổ phần Cơ khí Sen Vàng Phú Thịnh", "Sen Vang Phu Thinh Mechanical JSC"),
        ("Hải Phòng", "Hai Phong", "Asia/Ho_Chi_Minh"), "metalworking", "7212 7223"),
    _enterprise("KZ-KUNSHUAK-CN", ("«Күншуақ Жаңа Энергия» ЖШС", "Kunshuak Zhana Energiya LLP"),
        ("Алматы", "Almaty", "Asia/Almaty"), "energy", "7412 7411"),
    _enterprise("LA-NAMSAI-CN", ("ບໍລິສັດ ນ້ຳໃສ ໄຊຍະ ພະລັງງານ ຈຳກັດ", "Nam Sai Xaya Power Co., Ltd."),
        ("ວຽງຈັນ", "Vientiane", "Asia/Vientiane"), "energy", "7412 7212 3119"),
    _enterprise("ID-QINGSHI-CN", ("PT Tirta Nikel Qingshi", "PT Tirta Nikel Qingshi"),
        ("Morowali", "Morowali", "Asia/Makassar"), "metals", "7212 7233 7412"),
)

COURSES: Final = (
    SampleCourse("ME101", "mechatronics", "机械制图", "Technical Drawing", "4.0", 64, 1),
    SampleCourse("ME102", "mechatronics", "电工电子技术", "Electrical and Electronic Engineering", "4.0", 64, 1),
    SampleCourse("ME103", "mechatronics", "液压与气动技术", "Hydraulics and Pneumatics", "3.0", 48, 1),
    SampleCourse("ME104", "mechatronics", "可编程控制器", "Programmable Logic Controllers", "4.5", 72, 1),
    SampleCourse("ME105", "mechatronics", "数控加工实训", "CNC Machining Practice", "3.0", 48, 1),
    SampleCourse("ME106", "mechatronics", "专业外语(机电)", "Technical Language for Mechatronics", "2.0", 32, 1),
    SampleCourse("ME201", "mechatronics", "工业机器人集成", "Industrial Robot Integration", "4.0", 64, 2),
    SampleCourse("ME202", "mechatronics", "自动化生产线维护", "Maintenance of Automated Lines", "4.0", 64, 2),
    SampleCourse("ME203", "mechatronics", "机电岗位实习", "Placement in Mechatronics", "18.0", 432, 2,
        is_placement=True),
    SampleCourse("NU101", "nursing_care", "人体解剖与生理", "Anatomy and Physiology", "4.5", 72, 1),
    SampleCourse("NU102", "nursing_care", "基础护理技术", "Fundamental Nursing Skills", "6.0", 96, 1),
    SampleCourse("NU103", "nursing_care", "老年护理", "Care of Older People", "3.0", 48, 1),
    SampleCourse("NU104", "nursing_care", "护理沟通与伦理", "Communication and Ethics in Care", "2.0", 32, 1),
    SampleCourse("NU105", "nursing_care", "护理日语", "Japanese for Care", "4.0", 64, 1),
    SampleCourse("NU201", "nursing_care", "认知症照护", "Dementia Care", "3.0", 48, 2),
    SampleCourse("NU202", "nursing_care", "康复护理", "Rehabilitation Care", "3.5", 56, 2),
    SampleCourse("NU203", "nursing_care", "护理临床实习", "Clinical Placement", "20.0", 480, 2, is_placement=True),
    SampleCourse("WE101", "welding", "金属材料与热处理", "Metals and Heat Treatment", "3.0", 48, 1),
    SampleCourse("WE102", "welding", "焊条电弧焊", "Shielded Metal Arc Welding", "5.0", 80, 1),
    SampleCourse("WE103", "welding", "气体保护焊", "Gas-shielded Arc Welding", "5.0", 80, 1),
    SampleCourse("WE104", "welding", "焊接安全与防护", "Safety in Welding", "1.5", 24, 1),
    SampleCourse("WE105", "welding", "焊接图样识读", "Reading Weld Drawings", "2.0", 32, 1),
    SampleCourse("WE201", "welding", "管道全位置焊接", "Pipe Welding in All Positions", "5.0", 80, 2),
    SampleCourse("WE202", "welding", "焊缝无损检测", "Non-destructive Testing of Welds", "3.0", 48, 2),
    SampleCourse("WE203", "welding", "焊接岗位实习", "Placement in Welding", "16.0", 384, 2, is_placement=True),
    SampleCourse("HO101", "hospitality", "酒店概论", "Introduction to Hospitality", "2.0", 32, 1),
    SampleCourse("HO102", "hospitality", "前厅服务", "Front Office Service", "4.0", 64, 1),
    SampleCourse("HO103", "hospitality", "客房服务与管理", "Housekeeping", "3.5", 56, 1),
    SampleCourse("HO104", "hospitality", "餐饮服务", "Food and Beverage Service", "4.0", 64, 1),
    SampleCourse("HO105", "hospitality", "酒店英语", "English for Hospitality", "4.0", 64, 1),
    SampleCourse("HO201", "hospitality", "跨文化服务", "Service across Cultures", "2.0", 32, 2),
    SampleCourse("HO202", "hospitality", "宴会与活动策划", "Banquets and Events", "3.0", 48, 2),
    SampleCourse("HO203", "hospitality", "酒店岗位实习", "Placement in Hospitality", "18.0", 432, 2,
        is_placement=True),
)

PROGRAMMES: Final = (
    SampleProgramme("HY-ME-DE", "mechatronics", "HAIYUE", "ME", "DE-WEIDENTAL", "机电一体化技术(中德2+1)",
        "Mechatronics (Sino-German 2+1)", 24, 12),
    SampleProgramme("HY-NU-JP", "nursing_care", "HAIYUE", "HC", "JP-AOMINE", "老年保健与护理(中日2+1)",
        "Care of Older People (Sino-Japanese 2+1)", 24, 12),
    SampleProgramme("HY-NU-DE", "nursing_care", "HAIYUE", "HC", "DE-HELLBACH", "护理(中德2.5+0.5)",
        "Nursing (Sino-German 2.5+0.5)", 30, 6),
    SampleProgramme("HY-HO-TH", "hospitality", "HAIYUE", "HT", "TH-DOIKHAM", "酒店管理(中泰2+1)",
        "Hospitality (Sino-Thai 2+1)", 24, 12),
    SampleProgramme("LJ-ME-TH", "mechatronics", "LANJIANG", "ME", "TH-LANTHONG", "机电一体化技术(中泰1+2)",
        "Mechatronics (Sino-Thai 1+2)", 12, 24),
    SampleProgramme("LJ-ME-KZ", "mechatronics", "LANJIANG", "ME", "KZ-ZHETIBULAK", "机电一体化技术(中哈2+1)",
        "Mechatronics (Sino-Kazakh 2+1)", 24, 12),
    SampleProgramme("LJ-WE-KH", "welding", "LANJIANG", "WE", "KH-TONLEBORA", "智能焊接技术(中柬1.5+1.5)",
        "Welding (Sino-Cambodian 1.5+1.5)", 18, 18),
    SampleProgramme("LJ-WE-RU", "welding", "LANJIANG", "WE", "RU-ZAREVO", "智能焊接技术(中俄2+2)",
        "Welding (Sino-Russian 2+2)", 24, 24),
)
# fmt: on
