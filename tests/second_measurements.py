"""A head made by hand, and every measurement a second time, by other maths than the package's.

The package turns lines into unit vectors and takes cross and scalar products. Here a head is laid into the frame of a
plane (Frankfort, sella-nasion, palatal, mandibular, occlusal), and angles are slopes there or follow from the three
sides of a triangle.
"""

import cmath
import math

# Millimetres, x towards the face, y down, the Frankfort horizontal level.
HEAD = {
    'S': (0, 0), 'N': (71, -9), 'Or': (62, 20), 'Po': (-20, 20), 'A': (70, 50), 'B': (63, 90), 'Pog': (65, 103),
    'Me': (57, 110), 'Gn': (62, 108), 'Go': (-4, 76), 'L1': (72, 74), 'U1': (75, 76), 'UL': (87, 66), 'LL': (84, 79),
    'Sn': (86, 51), "Pog'": (79, 101), 'PNS': (24, 46), 'ANS': (75, 45), 'Ar': (-14, 32), 'D': (59, 101),
    'U1A': (66, 54), 'L1A': (61, 95), 'Cm': (92, 48), 'Ptm': (20, 44), 'Co': (-9, 22), 'Prn': (100, 40),
    'Ba': (-24, 42), 'PT': (18, 23), 'Bo': (-40, 45), "UL'": (84, 56), "LL'": (77, 88), "Gn'": (73, 113),
    "Me'": (63, 117), "G'": (83, -30), "N'": (78, -10), 'C': (22, 118), 'U6': (43, 74), 'L6': (44, 76),
}  # fmt: skip


def frame(start, end, below=0.0):
    """Coordinates as complex numbers, forwards along the line and up, the axis ``below`` degrees below the line."""
    axis = (end - start) / abs(end - start) * cmath.exp(-1j * math.radians(below))
    return lambda point: point * axis.conjugate()


def slope(of, start, end):
    """Degrees by which a way rises in a frame, -180 to 180."""
    return math.degrees(cmath.phase(of(end) - of(start)))


def corner(first, vertex, second):
    """The angle at the vertex of a triangle from its three sides."""
    a, b, c = abs(second - vertex), abs(first - vertex), abs(first - second)
    return math.degrees(math.acos(max(-1.0, min(1.0, (a * a + b * b - c * c) / (2 * a * b)))))


def inner(start, end, other_start, other_end):
    """The angle between two directions, 0 to 180 degrees."""
    return corner(end - start, 0j, other_end - other_start)


def height(point, start, end):
    """How far a point lies on the left of a line."""
    of = frame(start, end)
    return (of(point) - of(start)).imag


def meeting(a, b, c, d):
    """Where two lines meet, by Cramer's rule on their equations."""
    rows = [(p.imag - q.imag, q.real - p.real, q.real * p.imag - p.real * q.imag) for p, q in ((a, b), (c, d))]
    (a1, b1, c1), (a2, b2, c2) = rows
    determinant = a1 * b2 - a2 * b1
    return complex((c1 * b2 - c2 * b1) / determinant, (a1 * c2 - a2 * c1) / determinant)


def wrapped(degrees):
    return (degrees + 180) % 360 - 180


def second_values(positions):
    """Every measurement of a head that looks to the right, in millimetres, y down; by name."""
    z = {name: complex(x, -y) for name, (x, y) in positions.items()}
    S, N, A, B, Or, Po, Me, Gn, Go, Pog = (z[n] for n in ('S', 'N', 'A', 'B', 'Or', 'Po', 'Me', 'Gn', 'Go', 'Pog'))
    U1, L1, U1A, L1A, ANS, PNS, Ar, Co, Ba, PT, Ptm, D, U6, L6 = (
        z[n] for n in ('U1', 'L1', 'U1A', 'L1A', 'ANS', 'PNS', 'Ar', 'Co', 'Ba', 'PT', 'Ptm', 'D', 'U6', 'L6')
    )
    UL, LL, UL1, LL1, Sn, Pog1, Cm, Prn, Gn1, Me1, G1, N1, C = (
        z[n] for n in ('UL', 'LL', "UL'", "LL'", 'Sn', "Pog'", 'Cm', 'Prn', "Gn'", "Me'", "G'", "N'", 'C')
    )
    back, front = (U6 + L6) / 2, (U1 + L1) / 2
    fh, sn, pp, gg, oc = map(frame, (Po, S, PNS, Go, back), (Or, N, ANS, Gn, front))
    hp = frame(S, N, below=7)
    v = {}
    v['SNA'], v['SNB'], v['SND'], v['SNPog'] = (corner(S, N, p) for p in (A, B, D, Pog))
    v['ANB'] = v['SNA'] - v['SNB']
    v['ANB_Eastman'] = v['ANB'] + (81 - v['SNA']) / 2
    v['SN_GoGn'], v['SN_GoMe'] = -slope(sn, Go, Gn), -slope(sn, Go, Me)
    v['SN_occlusal'], v['FH_occlusal'] = -slope(sn, back, front), -slope(fh, back, front)
    v['U1_NA'] = wrapped(slope(fh, U1A, U1) - slope(fh, N, A))
    v['L1_NB'] = wrapped(slope(fh, N, B) - slope(fh, L1, L1A))
    v['U1_NA_mm'], v['L1_NB_mm'], v['Pog_NB_mm'] = height(U1, N, A), height(L1, N, B), height(Pog, N, B)
    v['Holdaway_difference_mm'] = v['L1_NB_mm'] - v['Pog_NB_mm']
    v['interincisal'] = 180 - wrapped(slope(fh, U1A, U1) - slope(fh, L1, L1A))
    middle = (Cm + Prn) / 2
    v['UL_S_mm'], v['LL_S_mm'] = height(UL, middle, Pog1), height(LL, middle, Pog1)
    v['UL_E_mm'], v['LL_E_mm'] = height(UL, Prn, Pog1), height(LL, Prn, Pog1)
    v['facial_angle'] = 180 + slope(fh, N, Pog)
    v['maxillary_depth'], v['soft_facial_angle'] = 180 + slope(fh, N, A), 180 + slope(fh, N1, Pog1)
    v['Z_angle_UL'] = 180 + slope(fh, UL, Pog1)
    v['convexity'] = slope(fh, N, A) - slope(fh, A, Pog)
    v['AB_plane'] = slope(fh, A, B) - slope(fh, N, Pog)
    v['Y_axis'], v['Y_axis_SN'] = -slope(fh, S, Gn), corner(N, S, Gn)
    v['FMA'] = -slope(fh, Go, Me)
    v['IMPA'] = corner(Go - Me, 0j, L1 - L1A)
    v['L1_MP_Downs'], v['FMIA'] = v['IMPA'] - 90, slope(fh, L1A, L1)
    v['L1_occlusal'] = 90 - slope(oc, L1A, L1)
    v['U1_APog_mm'], v['L1_APog_mm'], v['A_NPog_mm'] = height(U1, A, Pog), height(L1, A, Pog), height(A, N, Pog)
    v['L1_APog'] = wrapped(slope(fh, A, Pog) - slope(fh, L1, L1A))
    v['U1_APog'] = wrapped(slope(fh, U1A, U1) - slope(fh, A, Pog))
    below_palate = pp(PNS).imag - pp(Me).imag
    v['AFH_Tweed_mm'], v['PFH_Tweed_mm'] = below_palate, abs(Ar - Go)
    v['horn_index'] = abs(Ar - Go) / below_palate
    gnathion = meeting(N, Pog, Go, Me)
    v['facial_axis'] = inner(PT, gnathion, N, Ba)
    v['facial_taper'] = corner(N, gnathion, Go)
    centre = meeting(Po, Or, PT, PT + 1j * (Or - Po))
    v['maxillary_height'], v['PFH_Ricketts_mm'] = corner(N, centre, A), abs(Go - centre)
    v['palatal_plane'], v['SN_PP'], v['MMPA'] = -slope(fh, PNS, ANS), -slope(sn, PNS, ANS), -slope(pp, Go, Me)
    v['cranial_deflection'] = slope(fh, Ba, N)
    v['cranial_length_mm'] = abs(meeting(Ba, N, PT, gnathion) - N)
    v['porion_location_mm'] = (fh(Po) - fh(PT)).real
    v['A_Nperp_mm'], v['Pog_Nperp_mm'] = (fh(A) - fh(N)).real, (fh(Pog) - fh(N)).real
    v['U1_Avert_mm'] = (fh(U1) - fh(A)).real
    lengths = {
        'Co_A_mm': (Co, A), 'Co_Gn_mm': (Co, Gn), 'LAFH_mm': (ANS, Me), 'S_N_mm': (S, N), 'S_Ar_mm': (S, Ar),
        'Ar_Go_mm': (Ar, Go), 'Go_Me_mm': (Go, Me), 'AFH_mm': (N, Me), 'PFH_mm': (S, Go), 'PNS_ANS_mm': (PNS, ANS),
        'Go_Pog_mm': (Go, Pog), 'Co_Go_mm': (Co, Go), 'N_ANS_mm': (N, ANS), 'S_Ba_mm': (S, Ba), 'Ba_N_mm': (Ba, N),
    }  # fmt: skip
    v |= {name: math.hypot((p - q).real, (p - q).imag) for name, (p, q) in lengths.items()}
    v['max_mand_diff_mm'] = v['Co_Gn_mm'] - v['Co_A_mm']
    v['saddle_angle'], v['articular_angle'] = corner(N, S, Ar), corner(S, Ar, Go)
    v['gonial_angle'], v['Ar_Go_Gn'] = corner(Ar, Go, Me), corner(Ar, Go, Gn)
    v['upper_gonial'], v['lower_gonial'] = corner(Ar, Go, N), corner(N, Go, Me)
    v['bjork_sum'] = v['saddle_angle'] + v['articular_angle'] + v['gonial_angle']
    v['FHI'] = v['PFH_mm'] / v['AFH_mm']
    v['jarabak_ratio'], v['LAFH_percent'] = 100 * v['FHI'], 100 * v['LAFH_mm'] / v['AFH_mm']
    v['LAFH_Eastman'] = 100 * below_palate / (below_palate + pp(N).imag - pp(PNS).imag)
    v['U1_PP'], v['U1_SN'], v['U1_FH'] = (180 + slope(of, U1A, U1) for of in (pp, sn, fh))
    v['NSBa'] = corner(N, S, Ba)
    midline = frame(N, Gn)
    v['hasund_index'] = 100 * (midline(ANS) - midline(N)).real / (midline(Gn) - midline(ANS)).real
    v['H_NB'] = slope(fh, N, B) - slope(fh, UL, Pog1)
    v['N_angle'] = corner(B, meeting(B, Pog, Go, Me), Go)
    v['H_angle'] = slope(fh, N1, Pog1) - slope(fh, UL, Pog1)
    v['LL_H_mm'] = height(LL, UL, Pog1)
    v['Sn_H_mm'], v['inferior_sulcus_H_mm'] = -height(Sn, UL, Pog1), -height(LL1, UL, Pog1)
    v['superior_sulcus_mm'], v['nose_prominence_mm'] = (fh(UL) - fh(UL1)).real, (fh(Prn) - fh(UL)).real
    v['chin_thickness_mm'] = (fh(Pog1) - fh(Pog)).real
    v['soft_convexity'] = slope(fh, G1, Sn) - slope(fh, Sn, Pog1)
    v['maxillary_prognathism_mm'] = (hp(Sn) - hp(G1)).real
    v['mandibular_prognathism_mm'] = (hp(Pog1) - hp(G1)).real
    v['vertical_height_ratio'] = (hp(G1) - hp(Sn)).imag / (hp(Sn) - hp(Me1)).imag
    v['throat_angle'], v['nasolabial'] = corner(Sn, Gn1, C), corner(Cm, Sn, UL)
    v['height_depth_ratio'] = abs(Sn - Gn1) / abs(C - Gn1)
    v['UL_SnPog_mm'], v['LL_SnPog_mm'] = height(UL, Sn, Pog1), height(LL, Sn, Pog1)
    v['mentolabial_sulcus_mm'] = -height(LL1, LL, Pog1)
    along = {'N_A': (N, A), 'N_B': (N, B), 'N_Pog': (N, Pog), 'Ar_Ptm': (Ar, Ptm), 'Ptm_N': (Ptm, N)}
    v |= {f'{name}_HP_mm': (hp(q) - hp(p)).real for name, (p, q) in along.items()}
    across = {'N_ANS': (N, ANS), 'ANS_Gn': (ANS, Gn), 'N_PNS': (N, PNS)}
    v |= {f'{name}_HP_mm': (hp(p) - hp(q)).imag for name, (p, q) in across.items()}
    v['MP_HP'] = -slope(hp, Go, Gn)
    v['B_Pog_MP_mm'] = (gg(Pog) - gg(B)).real
    v['U1_NF_mm'], v['U6_NF_mm'] = (pp(PNS) - pp(U1)).imag, (pp(PNS) - pp(U6)).imag
    v['L1_MP_mm'], v['L6_MP_mm'] = (gg(L1) - gg(Go)).imag, (gg(L6) - gg(Go)).imag
    v['ODI'] = inner(A, B, Go, Me) + v['palatal_plane']
    v['APDI'] = v['facial_angle'] + v['AB_plane'] + v['palatal_plane']
    v['combination_factor'] = v['ODI'] + v['APDI']
    v['FMA_ISBI'] = v['SN_GoGn']
    v['MW'] = math.copysign(abs(U1 - L1), (fh(U1) - fh(L1)).real)
    v['wits'], v['overjet'] = (oc(A) - oc(B)).real, (oc(U1) - oc(L1)).real
    v['overbite'] = (oc(L1) - oc(U1)).imag
    v['overjet_FH'], v['overbite_FH'] = (fh(U1) - fh(L1)).real, (fh(L1) - fh(U1)).imag
    return v
