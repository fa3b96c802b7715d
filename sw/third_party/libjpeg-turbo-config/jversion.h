/* SPDX-License-Identifier: Apache-2.0 */
#define JVERSION "6b  27-Mar-1998"
#define JCOPYRIGHT "see README.ijg and LICENSE"
#define JCOPYRIGHT_SHORT JCOPYRIGHT
